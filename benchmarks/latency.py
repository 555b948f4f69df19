"""Compare the answer times of ``podium serve`` while its worker counts a large repository with those at rest.

python -m benchmarks.latency [REPOSITORY]    # a bare repository; without one, a synthetic one of 100,000 commits
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path

from benchmarks import synthetic
from tests.support.cli import Podium
from tests.support.githttp import serve_repositories
from tests.support.server import Server, serving


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", nargs="?", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as name:
        work = Path(name)
        (work / "repositories" / "o").mkdir(parents=True)
        large, small = work / "repositories" / "o" / "large.git", work / "repositories" / "o" / "small.git"
        if options.repository:
            shutil.copytree(options.repository, large)
        else:
            synthetic.build(large, 100_000, 5_000)
        synthetic.build(small, 1_000, 100)
        with serve_repositories(work / "repositories") as host:
            settings = {"PODIUM_GIT_HOSTS": host.url, "PODIUM_LOG_LEVEL": "warning"}
            with serving(Podium(work / "data"), settings) as server:
                _measure(server, f"{host.url}/o/large.git", f"{host.url}/o/small.git")


def _measure(server: Server, large: str, small: str) -> None:
    server.submit(small)
    server.wait_for(small, "completed")
    paths = [
        ("GET /repositories", "/repositories"),
        ("GET /leaderboard", "/leaderboard?" + urllib.parse.urlencode({"repoUrl": small})),
        ("the page", "/"),
    ]
    for _, path in paths:
        server.seconds(path)
    print("| request | when | requests | median | 99th percentile | longest |")
    print("|---|---|---|---|---|---|")
    deadline = time.monotonic() + 5
    _hammer(server, paths, "at rest", lambda: time.monotonic() < deadline)
    server.submit(large)
    _hammer(
        server, paths, "while counting", lambda: server.repository(large)["state"] in ("pending", "commits_processing")
    )
    print(f"\nThe large one: {server.wait_for(large, 'completed', 'failed')['totalCommits']:,} commits.")


def _hammer(server: Server, paths: list[tuple[str, str]], when: str, go_on: Callable[[], bool]) -> None:
    took: dict[str, list[float]] = {label: [] for label, _ in paths}
    while go_on():
        for label, path in paths:
            took[label].append(server.seconds(path))
    for label, seconds in took.items():
        seconds.sort()
        middle, late = seconds[len(seconds) // 2], seconds[int(len(seconds) * 0.99)]
        print(
            f"| {label} | {when} | {len(seconds)} | {middle * 1000:.1f} ms | {late * 1000:.1f} ms "
            f"| {seconds[-1] * 1000:.1f} ms |"
        )


if __name__ == "__main__":
    main()
