"""Measure `/health` for other clients while one client sends costly reads through eight connections.

python -m benchmarks.reads [--people N] [--seconds S] [--connections N] [--budget MS]

The server runs behind a trusted proxy, so that the client is not on loopback. Exit code 1 if the median of `/health` is
above three times its usual one.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import itertools
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx

from benchmarks import site
from tests.support.cli import Podium
from tests.support.server import serving

GOAL = 3.0


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--budget", type=int, default=6000, help="PODIUM_READ_BUDGET")
    options = parser.parse_args()
    settings = {
        "PODIUM_TRUSTED_PROXIES": "127.0.0.1",
        "PODIUM_READ_BUDGET": str(options.budget),
        "PODIUM_LOG_LEVEL": "warning",
    }
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as name:
        folder = Path(name)
        site.count(folder, 2 * options.people, options.people)
        with serving(Podium(folder), settings) as server:
            usual = _health(server.port, 3.0)
            answers: multiprocessing.Queue[Counter[int]] = multiprocessing.Queue()
            load = multiprocessing.Process(
                target=_load, args=(server.port, options.connections, options.seconds, answers), daemon=True
            )
            load.start()
            loaded = _health(server.port, options.seconds)
            statuses = answers.get(timeout=60)
            load.join()
    ratio = statistics.median(loaded) / statistics.median(usual)
    print("| /health | requests | median | 95 % | slowest |")
    print("|---|---|---|---|---|")
    for what, seconds in (("at rest", usual), (f"with {options.connections} connections of costly reads", loaded)):
        middle, most = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
        row = " | ".join(f"{1000 * value:.2f} ms" for value in (middle, most, max(seconds)))
        print(f"| {what} | {len(seconds):,} | {row} |")
    answered = ", ".join(f"{count:,} with {status}" for status, count in sorted(statuses.items()))
    print(f"\nThe median is {ratio:.2f} times the usual one (at most {GOAL:g}). Costly reads answered: {answered}.")
    return 0 if ratio <= GOAL else 1


def _health(port: int, seconds: float) -> list[float]:
    found, end = [], time.monotonic() + seconds
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while time.monotonic() < end:
        began = time.perf_counter()
        connection.request("GET", "/health", headers={"X-Forwarded-For": "192.0.2.1"})
        connection.getresponse().read()
        found.append(time.perf_counter() - began)
        time.sleep(0.02)
    connection.close()
    return found


def _load(port: int, connections: int, seconds: float, answers: multiprocessing.Queue[Counter[int]]) -> None:
    answers.put(asyncio.run(_ask(port, connections, seconds)))


async def _ask(port: int, connections: int, seconds: float) -> Counter[int]:
    statuses: Counter[int] = Counter()
    numbers, end = itertools.count(), time.monotonic() + seconds

    async def client() -> None:
        headers = {"X-Forwarded-For": "198.51.100.7"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as session:
            while time.monotonic() < end:
                statuses[(await session.get(_costly(next(numbers)))).status_code] += 1

    await asyncio.gather(*(client() for _ in range(connections)))
    return statuses


def _costly(number: int) -> str:
    """A new window, file, search or explanation."""
    window = f"since={2000 + number % 20}-{1 + number // 20 % 12:02}-{1 + number // 240 % 28:02}"
    api = f"repoUrl=https://github.com/o/big&{window}"
    match number % 5:
        case 0:
            return f"/r/o/big?{window}"
        case 1:
            return f"/leaderboard?{api}&limit=1000&sparklines=include"
        case 2:
            return f"/r/o/big/board.json?{window}"
        case 3:
            return f"/leaderboard/find?{api}&q=person%20{number}"
    return f"/leaderboard/explain?{api}&rank={1 + number % 1000}"


if __name__ == "__main__":
    sys.exit(main())
