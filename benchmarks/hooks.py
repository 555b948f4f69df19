"""Measure webhooks: from a signed push to a changed row, and a flood of pushes to one repository.

    python -m benchmarks.hooks [--pushes N] [--connections N]

`podium serve` with SQLite and a git server, both on loopback. The first table is the time from the delivery to the row
of the person who made the new commit, in the API and, where Chromium is installed, in the search of an open page; the
second one counts what a flood of deliveries costs, until the minute is over in which they are one count.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import httpx
from playwright.sync_api import Browser, expect, sync_playwright

from benchmarks import synthetic
from tests.support.cli import Podium
from tests.support.delivery import signature
from tests.support.githttp import GitHost, serve_repositories
from tests.support.server import Server, serving, wait_until

SECRET = "the-secret-of-the-benchmark"
PATH = "/webhooks/gitea"
# The last ones are watched in a browser.
REPOSITORIES, WATCHED = 10, 5


def main() -> None:
    """Measure, and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pushes", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as name:
        work = Path(name)
        folders = [work / "repositories" / "o" / f"r{number}.git" for number in range(REPOSITORIES)]
        for folder in folders:
            folder.parent.mkdir(parents=True, exist_ok=True)
            synthetic.build(folder, 1_000, 100)
        with serve_repositories(work / "repositories") as host:
            settings = {
                "PODIUM_GIT_HOSTS": "",
                "PODIUM_PRIVATE_GIT_HOSTS": host.url,
                "PODIUM_WEBHOOK_SECRETS": SECRET,
                "PODIUM_LOG_LEVEL": "warning",
            }
            with serving(Podium(work / "data"), settings) as server:
                _first_pushes(server, host, folders)
                _flood(server, host, folders[0], options.pushes, options.connections)


def _first_pushes(server: Server, host: GitHost, folders: list[Path]) -> None:
    for folder in folders:
        server.submit(_url(host, folder))
    for folder in folders:
        server.wait_for(_url(host, folder), "completed")
    print("| a push after a quiet minute | seconds |")
    print("|---|---|")
    for number, folder in enumerate(folders[:-WATCHED]):
        who = _commit(folder, number)
        started = time.monotonic()
        assert _deliver(httpx.Client(trust_env=False), server, host, folder) == 202
        _wait_for_row(server, _url(host, folder), who)
        print(f"| from the delivery to the changed row, {folder.stem} | {time.monotonic() - started:.2f} |")
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        print("| on an open page | Chromium is not installed |")
        return
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=path, args=["--no-sandbox"]) as chrome,
    ):
        for number, folder in enumerate(folders[-WATCHED:], len(folders) - WATCHED):
            print(f"| on an open page, {folder.stem} | {_on_a_page(chrome, server, host, folder, number):.2f} |")


def _on_a_page(chrome: Browser, server: Server, host: GitHost, folder: Path, number: int) -> float:
    """Seconds from a delivery until the row is on the page of a board, which is open before."""
    page = chrome.new_page()
    page.goto(f"http://127.0.0.1:{server.port}/r/{_url(host, folder).partition('://')[2].removesuffix('.git')}")
    page.locator("#rows tr").first.wait_for()
    page.get_by_label("Find anyone").fill(f"Newcomer {number}")
    page.wait_for_timeout(3_000)
    _commit(folder, number)
    started = time.monotonic()
    assert _deliver(httpx.Client(trust_env=False), server, host, folder) == 202
    expect(page.locator("#found .matches li")).to_have_count(1, timeout=120_000)
    took = time.monotonic() - started
    page.close()
    return took


def _flood(server: Server, host: GitHost, folder: Path, pushes: int, connections: int) -> None:
    wait_until(lambda: server.repository(_url(host, folder))["state"] == "completed", "the board is ready")
    time.sleep(61)
    host.requests.clear()
    who = _commit(folder, 100)
    statuses: list[int] = []

    def send(share: int) -> None:
        with httpx.Client(trust_env=False) as client:
            statuses.extend(_deliver(client, server, host, folder) for _ in range(share))

    threads = [threading.Thread(target=send, args=(pushes // connections,)) for _ in range(connections)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - started
    during = _fetches(host)
    last = _commit(folder, 101)
    pushed = time.monotonic()
    assert _deliver(httpx.Client(trust_env=False), server, host, folder) == 202
    _wait_for_row(server, _url(host, folder), who)
    _wait_for_row(server, _url(host, folder), last)
    print("\n| a flood of pushes to one repository | |")
    print("|---|---|")
    print(f"| deliveries, with {connections} connections | {len(statuses):,} |")
    print(f"| answered with 202 | {statuses.count(202):,} |")
    print(f"| deliveries per second | {len(statuses) / took:,.0f} |")
    print(f"| counts that asked the git server, in {took:.0f} s | {during} |")
    print(f"| from one more push to its row | {time.monotonic() - pushed:.1f} s |")
    print(f"| counts that asked the git server until then, in {time.monotonic() - started:.0f} s | {_fetches(host)} |")


def _url(host: GitHost, folder: Path) -> str:
    return f"{host.url}/o/{folder.name}"


def _fetches(host: GitHost) -> int:
    """A count asks for the refs twice: where HEAD is, and before it fetches."""
    return sum("/info/refs" in request for request in host.requests) // 2


def _deliver(client: httpx.Client, server: Server, host: GitHost, folder: Path) -> int:
    url = _url(host, folder)
    payload = {"ref": "refs/heads/main", "repository": {"html_url": url, "clone_url": url, "default_branch": "main"}}
    body = json.dumps(payload).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Gitea-Event": "push",
        "X-Gitea-Signature": signature(SECRET, body),
    }
    return client.post(f"http://127.0.0.1:{server.port}{PATH}", content=body, headers=headers).status_code


def _commit(folder: Path, number: int) -> str:
    """Add a commit of a new person; return the name."""
    name = f"Newcomer {number}"
    environment = {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": f"newcomer{number}@example.org",
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": f"newcomer{number}@example.org",
    }
    tree = _git(folder, "rev-parse", "main^{tree}")
    commit = _git(folder, "commit-tree", tree, "-p", "main", "-m", "Add", **environment)
    _git(folder, "update-ref", "refs/heads/main", commit)
    return name


def _git(folder: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def _wait_for_row(server: Server, url: str, who: str) -> None:
    def there() -> bool:
        return f'"{who}"' in json.dumps(server.board(url))

    deadline = time.monotonic() + 120
    while not there():
        assert time.monotonic() < deadline, f"{who} has no row"
        time.sleep(0.1)


if __name__ == "__main__":
    main()
