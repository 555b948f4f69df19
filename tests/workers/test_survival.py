"""Workers that are killed or suspended in the middle of a job, one by one. test_chaos.py combines the faults."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import synthetic
from podium.settings import Settings
from tests.support.distributed import Arrangement, arranged
from tests.support.githttp import Fault, GitHost, serve_repositories
from tests.support.postgres import Postgres
from tests.support.processes import counting_processes, descendants
from tests.support.server import Server, wait_until
from tests.support.valkey import Valkey

# Tests that wait for a lease to expire use a short one.
QUICK = {"PODIUM_LEASE_SECONDS": "2", "PODIUM_RECONCILE_SECONDS": "0.5"}


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("subject") / "subject.git"
    synthetic.build(folder, 1_000, 120)
    return folder


@pytest.fixture
def host(tmp_path: Path, subject: Path) -> Iterator[GitHost]:
    """A git server with that repository as `o/r0.git` to `o/r9.git`."""
    for number in range(10):
        shutil.copytree(subject, tmp_path / "repositories" / "o" / f"r{number}.git")
    with serve_repositories(tmp_path / "repositories") as host:
        yield host


@pytest.fixture
def arrangement(tmp_path: Path, postgres: Postgres, valkey: Valkey, host: GitHost) -> Iterator[Arrangement]:
    with arranged(tmp_path, postgres, valkey, PODIUM_GIT_HOSTS=host.url) as arrangement:
        yield arrangement


def column(postgres: Postgres, arrangement: Arrangement, name: str, url: str) -> Any:
    database = arrangement.settings["DATABASE_URL"].rpartition("/")[2]
    return postgres.ask(f"SELECT {name} FROM repository WHERE url = '{url}'", database)[0][0]


def test_a_killed_workers_repository_is_taken_over_when_its_lease_expires(
    arrangement: Arrangement, host: GitHost, postgres: Postgres
) -> None:
    # With the default settings: within half a minute.
    assert Settings().lease_seconds + Settings().reconcile_seconds < 30
    arrangement.settings |= QUICK
    url = f"{host.url}/o/r0.git"
    host.faults.append(Fault("stall", "/o/r0.git", times=1))
    with arrangement.api() as server:
        first = arrangement.worker("commits", "--processes", "1")
        server.submit(url)
        host.wait_for_request("/o/r0.git")
        arrangement.worker("commits", "--processes", "1")
        for pid in (first.pid, *descendants(first.pid)):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: column(postgres, arrangement, "lease_token", url) == 2, "another worker to take it over")
        server.wait_for(url, "users_processing")
        assert server.board(url)["totalCommits"] == 1_000


def test_a_worker_suspended_for_longer_than_its_lease_saves_nothing(
    arrangement: Arrangement, host: GitHost, postgres: Postgres, tmp_path: Path
) -> None:
    url = f"{host.url}/o/r0.git"
    host.faults.append(Fault("stall", "/o/r0.git", seconds=1, times=1))
    arrangement.settings |= QUICK
    with arrangement.api() as server:
        first = arrangement.worker("commits", "--processes", "1")
        server.submit(url)
        host.wait_for_request("/o/r0.git")
        stopped = [first.pid, *descendants(first.pid)]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        # As on another machine: with the same data folder it would wait for the lock on the mirror.
        second = arrangement.worker("commits", "--processes", "1", data=tmp_path / "elsewhere")
        server.wait_for(url, "users_processing")
        second.terminate()
        assert second.wait(10) == 0
        generation = column(postgres, arrangement, "generation", url)
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):  # git ends when its other side does
                os.kill(pid, signal.SIGCONT)
        # It has lost the lease once it works on something else.
        other = f"{host.url}/o/r1.git"
        server.submit(other)
        server.wait_for(other, "users_processing")
        assert (column(postgres, arrangement, "generation", url), generation) == (1, 1)
        assert server.board(url)["totalCommits"] == 1_000


def test_the_lease_is_renewed_during_a_long_count(arrangement: Arrangement, host: GitHost, postgres: Postgres) -> None:
    url = f"{host.url}/o/r0.git"
    host.faults.append(Fault("stall", "/o/r0.git", seconds=5, times=1))
    arrangement.settings |= QUICK
    with arrangement.api() as server:
        for _ in range(2):
            arrangement.worker("commits", "--processes", "1")
        server.submit(url)
        server.wait_for(url, "users_processing")
        assert column(postgres, arrangement, "lease_token", url) == 1


def test_a_repository_that_crashes_its_workers_fails_and_delays_no_other(
    arrangement: Arrangement, host: GitHost
) -> None:
    killer = f"{host.url}/o/r0.git"
    others = [f"{host.url}/o/r{number}.git" for number in range(1, 6)]
    host.faults.append(Fault("stall", "/o/r0.git"))
    arrangement.settings |= QUICK
    with arrangement.api() as server:
        worker = arrangement.worker("commits", "--processes", "1")
        ended = threading.Event()
        killed: list[int] = []

        def kill_readers() -> None:
            # The worker has one counting process, which waits for the host with its first request.
            while not ended.wait(0.1):
                if sum("/o/r0.git" in request for request in host.requests) > len(killed):
                    (process,) = counting_processes(worker.pid)
                    os.kill(process, signal.SIGKILL)
                    killed.append(process)

        killing = threading.Thread(target=kill_readers)
        killing.start()
        try:
            for url in (killer, *others):
                server.submit(url)
            row = server.wait_for(killer, "failed")
            for url in others:
                server.wait_for(url, "users_processing")
        finally:
            ended.set()
            killing.join()
        assert "crashed 5 times" in row["error"]
        assert len(set(killed)) == 5
        # Without the fault it is counted like any other.
        host.faults.clear()
        assert server.ask("/repositories/retry", "POST", repoUrl=killer).status == 202
        server.wait_for(killer, "users_processing")


def test_a_large_repository_delays_no_other(arrangement: Arrangement, host: GitHost) -> None:
    large = f"{host.url}/o/r0.git"
    host.faults.append(Fault("stall", "/o/r0.git"))
    with arrangement.api() as server:
        arrangement.worker("commits", "--processes", "1", PODIUM_LONG_JOB_SECONDS="1")
        server.submit(large)
        host.wait_for_request("/o/r0.git")
        for number in range(1, 10):
            server.submit(f"{host.url}/o/r{number}.git")
        for number in range(1, 10):
            server.wait_for(f"{host.url}/o/r{number}.git", "users_processing")
        assert server.repository(large)["state"] == "commits_processing"


def test_many_submissions_of_one_client_do_not_delay_another_client(arrangement: Arrangement, host: GitHost) -> None:
    host.faults.append(Fault("stall", seconds=0.2))
    with arrangement.api(PODIUM_TRUSTED_PROXIES="127.0.0.1") as server:
        for number in range(9):
            submit_as("10.0.0.1", server, f"{host.url}/o/r{number}.git")
        submit_as("10.0.0.2", server, f"{host.url}/o/r9.git")
        arrangement.worker("commits", "--processes", "1")
        server.wait_for(f"{host.url}/o/r9.git", "users_processing")
        rows = server.ask("/repositories").body
        assert sum(row["state"] == "pending" for row in rows) >= 5


def submit_as(client: str, server: Server, url: str) -> None:
    query = urllib.parse.urlencode({"repoUrl": url})
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/leaderboard?{query}", method="POST", headers={"X-Forwarded-For": client}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 202
