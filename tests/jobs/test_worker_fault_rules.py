"""A fault of one worker is not the repository's: another worker takes it, and it fails once none can."""

from __future__ import annotations

import errno
import json
from typing import Any

import pytest

from podium.errors import HistoryError
from podium.jobs import lease, worker_fault_rules
from podium.jobs.messages.queues import COMMITS
from podium.jobs.worker_fault_rules import machine_fault, settle_impossible
from podium.repositories.model import Repository
from podium.repositories.store import transitions
from podium.repositories.store.queue import worker_faults
from podium.storage.session import Database
from tests.support.rows import add_repository, repository

FULL = HistoryError("disk-full", "The disk of /secret is full.")
LARGE = HistoryError("too-large", "Larger than allowed (PODIUM_MAX_REPOSITORY_BYTES).")


def add_worker(db: Database, name: str, *, queue: str = COMMITS, age: float = 0.0, **limits: float | None) -> None:
    with db.write() as session:
        session.run(
            """INSERT INTO worker (id, host, pid, version, queues, report, started_at, seen_at)
            VALUES (:id, 'h', 1, '1', :queue, :report, {now}, {now} - :age)""",
            id=name,
            queue=queue,
            age=age,
            report=json.dumps({"limits": limits} if limits else {}),
        )


def taken(db: Database, worker: str) -> Repository | None:
    return lease.grab_next(db, 0, seconds=60, worker=worker)


def hand(db: Database, worker: str, error: Exception) -> bool:
    """The worker takes the repository and ends with ``error``; return whether that was its own fault."""
    row = taken(db, worker)
    assert row is not None
    with lease.hold(db, row, seconds=60) as held, held.fence() as session:
        transitions.start_counting(session, row)
        return worker_fault_rules.hand_over(session, row, worker, error)


def waiting(db: Database, number: int) -> tuple[str, int, int, Any, Any]:
    row = repository(db, number)
    with db.read() as session:
        found = session.one("SELECT waiting_code, waiting_reason FROM repository WHERE id = :id", id=number)
    assert found is not None
    return row.state.value, row.attempts, row.crashes, found["waiting_code"], found["waiting_reason"]


def test_a_full_disk_leaves_the_repository_to_another_worker(db: Database) -> None:
    number = add_repository(db)
    for name in ("full", "other"):
        add_worker(db, name)
    assert hand(db, "full", FULL)
    state, attempts, crashes, code, reason = waiting(db, number)
    assert (state, attempts, crashes, code) == ("pending", 0, 0, "disk-full")
    assert "/secret" not in reason
    assert taken(db, "full") is None
    row = taken(db, "other")
    assert row is not None
    with db.write() as session:
        transitions.start_counting(session, row)
    assert waiting(db, number)[3:] == (None, None)


def test_a_worker_alone_with_a_full_disk_goes_on_once_there_is_space(db: Database) -> None:
    number = add_repository(db)
    add_worker(db, "alone")
    assert hand(db, "alone", FULL)
    settle_impossible(db)
    assert waiting(db, number)[0] == "pending"
    with db.write() as session:
        worker_faults.forget_machine(session, "alone")
    assert taken(db, "alone") is not None


def test_a_repository_that_fills_the_disk_each_time_is_tried_at_growing_intervals(db: Database) -> None:
    add_repository(db)
    add_worker(db, "small")
    delays = []
    for _ in range(3):
        assert hand(db, "small", FULL)
        with db.write() as session:
            delays.append(session.value("SELECT try_again_at - at FROM worker_fault"))
            session.run("UPDATE worker_fault SET at = at - 1e5, try_again_at = try_again_at - 1e5")
    assert [round(delay) for delay in delays] == [60, 120, 240]


def test_a_limit_fails_the_repository_once_no_live_worker_has_a_higher_one(db: Database) -> None:
    number = add_repository(db)
    add_worker(db, "low", repositoryBytes=10, commits=None)
    add_worker(db, "same", repositoryBytes=10, commits=None)
    add_worker(db, "high", repositoryBytes=None, commits=5)
    add_worker(db, "dead", age=100, repositoryBytes=None, commits=None)
    add_worker(db, "users", queue="user-processing", repositoryBytes=None, commits=None)
    assert hand(db, "low", LARGE)
    assert waiting(db, number)[0] == "pending"
    assert taken(db, "same") is None
    assert not hand(db, "high", LARGE)
    with db.read() as session:
        assert not worker_faults.is_any(session)


def test_a_limit_fails_at_once_where_all_workers_have_the_same(db: Database) -> None:
    add_repository(db)
    for name in ("one", "two"):
        add_worker(db, name, repositoryBytes=10)
    assert not hand(db, "one", LARGE)


def test_what_only_a_dead_worker_could_count_fails(db: Database) -> None:
    number = add_repository(db)
    add_worker(db, "low", repositoryBytes=10)
    add_worker(db, "high", repositoryBytes=20)
    assert hand(db, "low", LARGE)
    settle_impossible(db)
    assert waiting(db, number)[0] == "pending"
    with db.write() as session:
        session.run("DELETE FROM worker WHERE id = 'high'")
    settle_impossible(db)
    found = repository(db, number)
    assert (found.state, found.error_code, found.error) == ("failed", "too-large", LARGE.message)


def test_faults_of_dead_workers_are_forgotten(db: Database) -> None:
    add_repository(db)
    add_worker(db, "low", repositoryBytes=10)
    add_worker(db, "high", repositoryBytes=20)
    assert hand(db, "low", LARGE)
    with db.write() as session:
        session.run("UPDATE worker SET seen_at = seen_at - 100 WHERE id = 'low'")
    settle_impossible(db)
    assert taken(db, "low") is not None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.EDQUOT, "quota"), "disk-full"),
        (OSError(errno.EROFS, "read-only"), "mirrors"),
        (PermissionError(errno.EACCES, "denied"), "mirrors"),
        (HistoryError("git-missing", "no git"), "git-missing"),
        (HistoryError("missing", "no repository"), None),
        (ValueError("a bug"), None),
    ],
)
def test_faults_of_the_machine_are_known(error: Exception, code: str | None) -> None:
    assert machine_fault(error) == code
