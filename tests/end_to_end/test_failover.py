"""A PostgreSQL standby: not ready while it is one, and the database from the moment on that it is promoted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import synthetic
from tests.support.distributed import arranged
from tests.support.githttp import GitHost, serve_repositories
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.server import Server, wait_until
from tests.support.valkey import Valkey

pytestmark = pytest.mark.long

NAMES = ("a", "b", "c")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitHost]:
    for number, name in enumerate(NAMES):
        synthetic.build(tmp_path / "repositories" / "o" / f"{name}.git", 300 + number, 40)
    with serve_repositories(tmp_path / "repositories") as host:
        yield host


def both(primary: PostgresServer, standby: PostgresServer, url: str) -> str:
    """The URL of the database on whichever of the two takes writes."""
    here, there = (f"127.0.0.1:{server.port}" for server in (primary, standby))
    return url.replace(here, f"{here},{there}") + "?target_session_attrs=read-write"


def caught_up(primary: PostgresServer, standby: PostgresServer) -> bool:
    ((written,),) = primary.ask("SELECT pg_current_wal_lsn()")
    ((replayed,),) = standby.ask(f"SELECT pg_last_wal_replay_lsn() >= '{written}'")
    return bool(replayed)


def test_a_promoted_standby_takes_over_without_a_manual_step(tmp_path: Path, valkey: Valkey, host: GitHost) -> None:
    with (
        running_postgres() as primary,
        running_postgres(follows=primary) as standby,
        arranged(tmp_path, primary, valkey, PODIUM_GIT_HOSTS=host.url) as arrangement,
    ):
        database = arrangement.settings["DATABASE_URL"]
        arrangement.settings["DATABASE_URL"] = both(primary, standby, database)
        arrangement.worker("all")
        first, *others = (f"{host.url}/o/{name}.git" for name in NAMES)
        with arrangement.api() as server:
            server.submit(first)
            server.wait_for(first, "completed")
            # A standby alone serves what it has, and takes nothing.
            alone = database.replace(str(primary.port), str(standby.port))
            wait_until(lambda: caught_up(primary, standby), "the standby to catch up")
            with arrangement.api(DATABASE_URL=alone) as reader:
                check_reader(reader, first)
            for url in others:
                server.submit(url)
            wait_until(lambda: caught_up(primary, standby), "the standby to catch up")
            primary.stop(at_once=True)
            standby.ask("SELECT pg_promote()")
            for url in others:
                server.wait_for(url, "completed")
            server.submit(first)
            server.wait_for(first, "completed")


def check_reader(reader: Server, url: str) -> None:
    ready = reader.ask("/ready")
    assert (ready.status, [problem["code"] for problem in ready.body["problems"]]) == (200, ["database-write"])
    assert reader.ask("/ready", **{"for": "write"}).status == 503
    assert reader.board(url)["total"] > 0
    refused = reader.submit(url)
    assert (refused.status, refused.body["code"]) == (503, "database-read-only")
