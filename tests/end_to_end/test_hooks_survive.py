"""Deliveries while something is away or killed: none that was accepted is lost, and none is counted twice."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from podium.storage.postgresql.postgres import PostgresDatabase
from tests.support import github_hooks
from tests.support.cli import Podium
from tests.support.delivery import Delivery, send
from tests.support.distributed import arranged
from tests.support.githttp import Fault, GitHost, serve_repositories
from tests.support.github_double import GitHubDouble
from tests.support.hosted import Hosted, Hosting
from tests.support.postgres import Postgres, running_postgres
from tests.support.processes import descendants
from tests.support.repos import chain, make_bare
from tests.support.server import Server, serving, wait_until
from tests.support.valkey import Valkey, running_valkey

pytestmark = pytest.mark.long

SECRET = "a-secret-of-these-hooks"


class Host:
    """A git server that is a GitHub, with one repository."""

    def __init__(self, git: GitHost, github: GitHubDouble, hosted: Hosted) -> None:
        self.git, self.hosted = git, hosted
        self.url = f"{git.url}/o/r"
        self.settings = {
            "GITHUB_SERVER_URL": git.url,
            "GITHUB_API_URL": github.api_url,
            "GITHUB_GRAPHQL_URL": github.graphql_url,
            "GITHUB_TOKEN": "token-of-a-test",
            "PODIUM_GIT_HOSTS": git.url,
            "PODIUM_WEBHOOK_SECRETS": SECRET,
            "PODIUM_DISK_RESERVE_BYTES": "1M",
            "PODIUM_RECONCILE_SECONDS": "1",
            "PODIUM_LEASE_SECONDS": "3",
        }

    def push(self) -> Delivery:
        """Add a commit, and return what the host sends."""
        chain(self.hosted.real.path, [b"Bo <bo@example.org> 1700000000 +0000"], [self.hosted.head or ""])
        return github_hooks.push(self.hosted, SECRET)

    def questions(self) -> int:
        """How often git was asked what there is: a count does so twice."""
        return sum("info/refs" in request for request in self.git.requests)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    folder = make_bare(tmp_path / "hosted" / "r.git")
    chain(folder, [b"Ada <ada@example.org> 1700000000 +0000"])
    hosting = Hosting()
    with (
        serve_repositories(folder.parent, hosting=hosting) as git,
        GitHubDouble(hosting) as github,
    ):
        hosting.web = git.url
        yield Host(git, github, hosting.add("o/r", folder))


def people(server: Server, url: str) -> int:
    """How many rows the board has."""
    return len(server.board(url)["top_contributors"])


def _has_rows(server: Server, url: str, number: int) -> bool:
    return people(server, url) == number


def deliver(server: Server, sent: Delivery) -> int:
    return send(f"http://127.0.0.1:{server.port}", sent)


def test_a_push_is_counted_though_the_server_is_killed_before_the_count_ends(tmp_path: Path, host: Host) -> None:
    podium = Podium(tmp_path / "data")
    with serving(podium, host.settings) as server:
        server.submit(host.url)
        server.wait_for(host.url, "completed")
        sent = host.push()
        host.git.faults.append(Fault("stall", "/o/r"))
        assert deliver(server, sent) == 202
        server.kill()
    host.git.faults.clear()
    with serving(podium, host.settings) as server:
        wait_until(lambda: people(server, host.url) == 2, "the row of the push")


def test_pushes_that_several_processes_receive_at_once_are_one_count(
    tmp_path: Path, host: Host, postgres: Postgres, valkey: Valkey
) -> None:
    with arranged(tmp_path, postgres, valkey, **host.settings) as arrangement:
        arrangement.worker("all")
        with arrangement.api(arguments=("--processes", "2")) as server:
            server.submit(host.url)
            server.wait_for(host.url, "completed")
            host.git.requests.clear()
            sent = host.push()
            with ThreadPoolExecutor(8) as pool:
                statuses = set(pool.map(lambda _: deliver(server, sent), range(200)))
            assert statuses == {202}
            wait_until(lambda: people(server, host.url) == 2, "the row of the push")
            server.wait_for(host.url, "completed")
            assert host.questions() < 4, host.git.requests


def test_what_is_delivered_while_redis_is_away_is_counted(tmp_path: Path, host: Host, postgres: Postgres) -> None:
    with running_valkey() as valkey, arranged(tmp_path, postgres, valkey, **host.settings) as arrangement:
        arrangement.worker("all")
        with arrangement.api() as server:
            server.submit(host.url)
            server.wait_for(host.url, "completed")
            valkey.stop()
            assert deliver(server, host.push()) == 202
            valkey.start()
            wait_until(lambda: people(server, host.url) == 2, "the row of the push")


def test_what_is_delivered_while_the_database_is_away_is_refused_and_may_come_again(
    tmp_path: Path, host: Host, valkey: Valkey
) -> None:
    with running_postgres() as postgres, arranged(tmp_path, postgres, valkey, **host.settings) as arrangement:
        arrangement.worker("all")
        with arrangement.api() as server:
            server.submit(host.url)
            server.wait_for(host.url, "completed")
            sent = host.push()
            postgres.stop()
            assert wait_until(lambda: deliver(server, sent) == 503, "a refusal")
            postgres.start()

            def is_accepted() -> bool:
                with contextlib.suppress(OSError):
                    return deliver(server, sent) == 202
                return False

            wait_until(is_accepted, "the redelivery to be accepted")
            wait_until(lambda: people(server, host.url) == 2, "the row of the push")


def test_the_schedule_goes_on_in_another_process_when_the_one_that_runs_it_is_killed(
    tmp_path: Path, host: Host, postgres: Postgres, valkey: Valkey
) -> None:
    with (
        arranged(tmp_path, postgres, valkey, **host.settings) as arrangement,
        valkey.client() as redis,
        contextlib.closing(PostgresDatabase(arrangement.settings["DATABASE_URL"], most=2)) as db,
        arrangement.api() as server,
    ):
        arrangement.worker("commits")
        leader = arrangement.worker("users")
        wait_until(lambda: list(redis.scan_iter("*schedule*")), "a process that runs the schedule")
        arrangement.worker("users")
        server.submit(host.url)
        for rows in (2, 3):
            server.wait_for(host.url, "completed")
            # No hook tells of it.
            chain(
                host.hosted.real.path, [f"P <p{rows}@example.org> 1700000000 +0000".encode()], [host.hosted.head or ""]
            )
            with db.write() as session:
                session.run("UPDATE repository SET check_at = {now}")
            wait_until(functools.partial(_has_rows, server, host.url, rows), "the row of the commit")
            if rows == 2:
                for pid in (leader.pid, *descendants(leader.pid)):
                    os.kill(pid, signal.SIGKILL)
        assert sum("schedule" in name.decode() for name in redis.scan_iter()) == 1
