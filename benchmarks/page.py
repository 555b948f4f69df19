"""Measure a board of 30,000 people: throughput against bare endpoints, and times in a browser.

python -m benchmarks.page [--people N] [--commits N]    # needs wrk and chromium
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page

from benchmarks.site import Counted, count, served
from tests.support.browser import running_browser

ROUNDS, SECONDS, CONNECTIONS = 5, 3, 16
INTERACTIONS = 21

_PAINTED = """() => new Promise(done => new PerformanceObserver(list => done([
    performance.getEntriesByType('navigation')[0].responseStart, list.getEntries().at(-1).startTime,
])).observe({type: 'largest-contentful-paint', buffered: true}))"""

# Milliseconds from the event until its result is drawn.
_TIMED = """async ([kind, value]) => {
    const drawn = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    const start = performance.now();
    const ready = kind === 'search'
        ? new Promise(done => new MutationObserver((_, o) => { o.disconnect(); done(); })
            .observe(document.getElementById('search'), {childList: true}))
        : new Promise(done => document.addEventListener('board', done, {once: true}));
    const field = document.getElementById({search: 'find', window: 'since', switch: value}[kind]);
    if (kind === 'switch') field.click();
    else {
        field.value = value;
        field.dispatchEvent(new Event(kind === 'search' ? 'input' : 'change', {bubbles: true}));
    }
    await ready;
    await drawn();
    return performance.now() - start;
}"""


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=30_000)
    parser.add_argument("--commits", type=int, default=200_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as name:
        counted = count(Path(name), options.commits, options.people)
        with served(counted.folder) as (base, _):
            _throughput(base, counted)
        with running_browser() as chromium:
            _paints(chromium, counted)
            with served(counted.folder) as (base, _):
                _interactions(chromium, base, counted)


def _throughput(base: str, counted: Counted) -> None:
    print("| request | per second | bare endpoint, same bytes | ratio (median of rounds, smallest to largest) |")
    print("|---|---|---|---|")
    for label, path, name in (("the page", counted.page, "page"), ("GET /leaderboard", counted.json, "json")):
        answer = httpx.get(base + path, headers={"accept-encoding": "identity"}, trust_env=False)
        (counted.folder / name).write_bytes(answer.content)
        _compare(label, base + path, f"{base}/bare/{name}", {})
        tag = {"If-None-Match": answer.headers["etag"]}
        _compare(f"{label}, 304", base + path, f"{base}/bare/304", tag)


def _compare(label: str, ours: str, bare: str, headers: dict[str, str]) -> None:
    rounds = [(_wrk(ours, headers), _wrk(bare, headers)) for _ in range(ROUNDS)]
    ratios = sorted(mine / theirs for mine, theirs in rounds)
    mine, theirs = (statistics.median(values) for values in zip(*rounds, strict=True))
    print(
        f"| {label} | {mine:,.0f} | {theirs:,.0f} "
        f"| {statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f}) |"
    )


def _wrk(url: str, headers: dict[str, str]) -> float:
    options = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    done = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *options, url], capture_output=True, text=True, check=True
    )
    assert "Non-2xx" not in done.stdout.replace("Non-2xx or 3xx", "Non-2xx") or headers, done.stdout
    found = re.search(r"Requests/sec: +([\d.]+)", done.stdout)
    assert found
    return float(found[1])


def _paints(chromium: Browser, counted: Counted) -> None:
    print("\n| the page in a browser | first byte | largest paint |\n|---|---|---|")
    cold: list[tuple[float, float]] = []
    warm: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        # A new server has empty caches.
        with served(counted.folder) as (base, _process):
            for kind in (cold, warm):
                page = chromium.new_page()
                page.goto(base + counted.page)
                kind.append(tuple(page.evaluate(_PAINTED)))
                page.close()
    for label, found in (("cold: the server has just started", cold), ("warm", warm)):
        first, painted = (statistics.median(values) for values in zip(*found, strict=True))
        print(f"| {label} | {first:.0f} ms | {painted:.0f} ms |")


def _interactions(chromium: Browser, base: str, counted: Counted) -> None:
    page = chromium.new_page()
    page.goto(base + counted.page, wait_until="networkidle")
    weights: list[int] = page.evaluate("performance.getEntries().map(e => e.decodedBodySize || 0)")
    # Pictures, which depend on the board, apart.
    packed: list[int] = page.evaluate(
        "performance.getEntries().filter(e => e.initiatorType !== 'img').map(e => e.transferSize || 0)"
    )
    print(f"\nWeight: {sum(weights):,} bytes, {sum(packed):,} over the wire without pictures.\n")
    print("| from the event to the drawn result | median | slowest |\n|---|---|---|")
    kinds: dict[str, Callable[[int], str]] = {
        "switch": lambda n: ("merges", "coAuthors", "mailmap")[n % 3],
        # Each window is new to the server.
        "window": lambda n: f"{2005 + n // 12}-{n % 12 + 1:02}-01",
        "search": lambda n: f"person {n * 37}",
    }
    for kind, value in kinds.items():
        _row(page, kind, [value(number) for number in range(1, INTERACTIONS + 1)])


def _row(page: Page, kind: str, values: list[str]) -> None:
    took: list[Any] = [page.evaluate(_TIMED, [kind, value]) for value in values]
    print(f"| {kind} | {statistics.median(took):.0f} ms | {max(took):.0f} ms |")


if __name__ == "__main__":
    main()
