"""Measure how long one client waits for the work of another: many submissions, a giant history, many people.

    python -m benchmarks.fairness

One commit worker, one user worker, PostgreSQL, Valkey, a git server and a GitHub that takes 200 ms, all on loopback.
Each case gives the time of a small repository that is submitted last, beside the time of everything before it, which
it would wait for under first come, first served.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from benchmarks import synthetic
from tests.support.distributed import Arrangement, arranged
from tests.support.githttp import Fault, GitHost, serve_repositories
from tests.support.github_double import GitHubDouble
from tests.support.github_repository import build
from tests.support.postgres import running_postgres
from tests.support.server import Server
from tests.support.valkey import running_valkey

TOKEN = "token-of-the-benchmark"


@dataclasses.dataclass(frozen=True)
class Case:
    """Seconds for the last repository, and for all that were submitted before it."""

    name: str
    one: float
    all: float


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=200, help="submissions of the busy client")
    parser.add_argument("--people", type=int, default=10_000, help="people in the large repository")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podium-fairness-") as name, running_postgres() as postgres:
        folder = Path(name)
        repositories = folder / "repositories"
        for number in range(options.submissions + 1):
            synthetic.build(repositories / "o" / f"r{number}.git", 100, 10, seed=number)
        synthetic.build(repositories / "o" / "crowd.git", 2 * options.people, options.people, everybody=True)
        build(repositories / "o" / "few.git", [(f"one-of-few-{n}@example.org", "Work") for n in range(10)])
        places = {name: repositories / f"{name}.git" for name in ("o/crowd", "o/few")}
        cases = []
        with running_valkey() as valkey, serve_repositories(repositories) as host:
            with arranged(folder, postgres, valkey, **_settings(host)) as arrangement:
                cases.append(_busy_client(arrangement, host, options.submissions))
            with arranged(folder, postgres, valkey, **_settings(host)) as arrangement:
                cases.append(_giant(arrangement, host))
            with (
                GitHubDouble(places, tokens=(TOKEN,), latency=0.2) as github,
                arranged(folder, postgres, valkey, **_settings(host), **_github(host, github)) as arrangement,
            ):
                cases.append(_crowd(arrangement, host))
    print("| submitted before | the last one | everything |\n|---|---|---|")
    for case in cases:
        print(f"| {case.name} | {case.one:.1f} s | {case.all:.1f} s |")


def _settings(host: GitHost) -> dict[str, str]:
    return {"PODIUM_GIT_HOSTS": host.url, "PODIUM_TRUSTED_PROXIES": "127.0.0.1"}


def _github(host: GitHost, github: GitHubDouble) -> dict[str, str]:
    return {
        "GITHUB_SERVER_URL": host.url,
        "GITHUB_API_URL": github.api_url,
        "GITHUB_GRAPHQL_URL": github.graphql_url,
        "GITHUB_TOKEN": TOKEN,
    }


def _busy_client(arrangement: Arrangement, host: GitHost, submissions: int) -> Case:
    with arrangement.api() as server:
        for number in range(submissions):
            _submit(server, f"{host.url}/o/r{number}.git", client="10.0.0.1")
        arrangement.worker("commits", "--processes", "1")
        server.wait_for(f"{host.url}/o/r0.git", "users_processing", "completed")
        started = time.monotonic()
        _submit(server, f"{host.url}/o/r{submissions}.git", client="10.0.0.2")
        server.wait_for(f"{host.url}/o/r{submissions}.git", "users_processing", "completed")
        one = time.monotonic() - started
        while server.ask("/repositories", state="pending", limit=1).body:
            time.sleep(0.2)
        return Case(f"{submissions} submissions of another client", one, time.monotonic() - started)


def _giant(arrangement: Arrangement, host: GitHost) -> Case:
    """A slow host makes one count take 90 seconds; by default it moves off the worker thread after 60."""
    host.faults.insert(0, Fault("stall", "/o/r0.git", seconds=90, times=1))
    with arrangement.api() as server:
        arrangement.worker("commits", "--processes", "1")
        _submit(server, f"{host.url}/o/r0.git", client="10.0.0.1")
        host.wait_for_request("/o/r0.git")
        started = time.monotonic()
        _submit(server, f"{host.url}/o/r1.git", client="10.0.0.2")
        with _patience(180):
            server.wait_for(f"{host.url}/o/r1.git", "users_processing", "completed")
            one = time.monotonic() - started
            server.wait_for(f"{host.url}/o/r0.git", "users_processing", "completed")
        return Case("a history that takes 90 s", one, time.monotonic() - started)


def _crowd(arrangement: Arrangement, host: GitHost) -> Case:
    with arrangement.api() as server:
        arrangement.worker("commits", "--processes", "1")
        _submit(server, f"{host.url}/o/crowd", client="10.0.0.1")
        server.wait_for(f"{host.url}/o/crowd", "users_processing")
        arrangement.worker("users")
        started = time.monotonic()
        _submit(server, f"{host.url}/o/few", client="10.0.0.2")
        with _patience(300):
            server.wait_for(f"{host.url}/o/few", "completed")
            one = time.monotonic() - started
            server.wait_for(f"{host.url}/o/crowd", "completed")
        return Case("a crowd that is looked up at GitHub", one, time.monotonic() - started)


@contextlib.contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """Wait longer than a test would."""
    from tests.support import server

    before, server.PATIENCE = server.PATIENCE, seconds
    try:
        yield
    finally:
        server.PATIENCE = before


def _submit(server: Server, url: str, *, client: str) -> None:
    query = urllib.parse.urlencode({"repoUrl": url})
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/leaderboard?{query}", method="POST", headers={"X-Forwarded-For": client}
    )
    with urllib.request.urlopen(request, timeout=60):
        pass


if __name__ == "__main__":
    main()
