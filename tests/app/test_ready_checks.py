"""Each fault that keeps a process from its work, on real servers and a real disk."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podium.app import factories, ready_checks
from podium.monitoring.readiness import FoundProblem, Readiness, Stops
from podium.settings import Settings
from podium.storage.session import Database
from tests.support.postgres import Postgres
from tests.support.valkey import running_valkey


def problems(readiness: Readiness) -> dict[str, str]:
    return {problem.code: problem.message for problem in readiness.problems()}


@contextlib.contextmanager
def of_worker(*, counts: bool = False, **settings: Any) -> Iterator[Readiness]:
    chosen = Settings(**settings)
    backend = factories.backend(chosen)
    with ready_checks.of_worker(chosen, backend, lambda: None, counts=counts) as readiness:
        yield readiness


def found(checks: list[Any], name: str) -> FoundProblem | None:
    return next((each for each in Readiness(checks).problems() if each.code == name), None)


def test_a_database_that_works_has_no_problem_and_keeps_no_trace(db: Database) -> None:
    assert Readiness(ready_checks.database_checks(db)[:2]).problems() == ()
    with db.read() as session:
        assert session.value("SELECT count(*) FROM worker") == 0


def test_a_read_only_postgresql_stops_work_but_no_reads(postgres: Postgres) -> None:
    name = postgres.create_migrated()
    postgres.ask(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    settings = Settings(database_url=postgres.url(name))
    with contextlib.closing(factories.connect(settings)) as db:
        (problem,) = Readiness(ready_checks.database_checks(db)).problems()
    assert (problem.code, problem.stops) == ("database-write", Stops.WORK)
    assert "is read-only" in problem.message


def test_a_database_of_another_revision_stops_work(tmp_path: Path) -> None:
    with contextlib.closing(factories.open_database(Settings(data_dir=str(tmp_path)))) as db:
        assert not Readiness(ready_checks.database_checks(db)).problems()
        with db.write() as session:
            session.run("UPDATE alembic_version SET version_num = 'abc'")
            session.run("DELETE FROM compatible_revision")
        (problem,) = Readiness(ready_checks.database_checks(db)).problems()
    assert (problem.code, problem.stops) == ("revision", Stops.READS)
    assert "update Podium" in problem.message


def test_a_database_that_is_away_is_one_problem_that_stops_reads(tmp_path: Path) -> None:
    with of_worker(data_dir=str(tmp_path), database_url="postgresql://u:secret@127.0.0.1:1/podium") as readiness:
        (problem,) = readiness.problems()
    assert (problem.code, problem.stops) == ("database", Stops.READS)
    assert "secret" not in problem.message


def test_a_full_redis_and_one_that_hangs_stop_work(tmp_path: Path) -> None:
    with (
        running_valkey("maxmemory-policy noeviction\n") as server,
        of_worker(data_dir=str(tmp_path), redis_url=server.url) as readiness,
        server.client() as client,
    ):
        queue = [check for check in readiness.checks if check.name == "queue"]
        assert found(queue, "queue") is None
        client.config_set("maxmemory", "1mb")
        assert problems(Readiness(queue)) == {"queue": "Redis is full and accepts no writes: raise its maxmemory."}
        client.config_set("maxmemory", "0")
        client.replicaof("127.0.0.1", 1)
        assert "is a replica" in problems(Readiness(queue))["queue"]
        client.replicaof("NO", "ONE")
        os.kill(server.pid, signal.SIGSTOP)
        try:
            assert "has not answered" in problems(Readiness(queue, deadline=0.1))["queue"]
        finally:
            os.kill(server.pid, signal.SIGCONT)


@contextlib.contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Writes beyond ``size`` fail, also for root."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_data_folder_that_cannot_be_written_stops_work(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path / "data"))
    checks = [ready_checks.disk_check(settings, Stops.WORK)]
    assert found(checks, "disk") is None
    with largest_file(0):
        assert "Nothing can be written" in problems(Readiness(checks))["disk"]
    with largest_file(1000):
        assert "is full" in problems(Readiness(checks))["disk"]
    (tmp_path / "data").write_text("a file")
    assert "Nothing can be written" in problems(Readiness(checks))["disk"]


def test_a_disk_without_room_for_a_clone_stops_counts_only(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path), disk_reserve_bytes=10**15)
    assert found([ready_checks.disk_check(settings, Stops.NOTHING)], "disk") is None
    problem = found(ready_checks.counting_checks(settings), "disk")
    assert problem is not None and "PODIUM_DISK_RESERVE_BYTES" in problem.message
    assert found(ready_checks.counting_checks(Settings(data_dir=str(tmp_path), disk_reserve_bytes=0)), "disk") is None


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (None, "PATH"),
        ("echo git version 2.30.1", "too old"),
        ("echo hello", "does not say a version"),
        ("echo git version 2.47.1", None),
    ],
)
def test_git_must_be_there_and_new_enough(tmp_path: Path, script: str | None, words: str | None) -> None:
    if script is not None:
        (tmp_path / "git").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "git").chmod(0o755)
    checks = ready_checks.counting_checks(Settings(search_path=str(tmp_path), disk_reserve_bytes=0))
    problem = found(checks, "git")
    assert problem is None if words is None else problem is not None and words in problem.message
