"""Transactions that change the same rows take locks in one order, and a delivery survives a conflict."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from podium.counting.commit_job import CommitJob
from podium.errors import HistoryError, StorageError
from podium.freshness.apply_answer import apply
from podium.freshness.hooks.hook_deliveries import Delivered, count_if_due, deliver
from podium.freshness.hooks.hook_events import HookEvent, HookKind
from podium.freshness.host_answer import HostAnswer
from podium.jobs import lease
from podium.repositories.address import parse_address
from podium.repositories.store import queries
from podium.repositories.store.freshness import names, pushes
from podium.storage.postgresql.postgres import PostgresDatabase
from podium.storage.session import Database
from podium.submissions import submit as submissions
from podium.submissions.submit import submit
from tests.support.rows import RecordingQueues, add_repository, repository, wait_for_a_blocked_transaction

ADDRESS = parse_address("https://github.com/o/r")
PUSH = HookEvent(HookKind.PUSH, ADDRESS, "7", branches=("main",), default_branch="main")
# Seconds for which one waits for the other where their order of locks lets only one of them come so far.
PATIENCE = 0.3
# Neither is used by a job that settles an error.
NO_SOURCE: Any = None
NO_PEOPLE: Any = None


def add_board(db: Database, key: str = "github.com/o/r") -> int:
    number = add_repository(db, key, state="completed")
    with db.write() as session:
        session.run(
            """UPDATE repository SET head = 'h', branch = 'main', commits_processed_at = 1, last_processed_at = 1,
                host_number = '7', hook_due_at = 1 WHERE id = :id""",
            id=number,
        )
    return number


def _deliver(db: Database, number: int) -> None:
    with db.write() as session:
        session.run("UPDATE repository SET hook_due_at = NULL WHERE id = :id", id=number)
    deliver(db, RecordingQueues(), PUSH)


def _count(db: Database, number: int) -> None:
    count_if_due(db, RecordingQueues(), number)


def _apply(db: Database, number: int) -> None:
    row = repository(db, number)
    with db.write() as session:
        apply(session, row, HostAnswer("7", head="another"))


def _submit(db: Database, number: int) -> None:
    submit(db, RecordingQueues(), ADDRESS, refresh_after=0.0)


def _submit_former(db: Database, number: int) -> None:
    submit(db, RecordingQueues(), parse_address("https://github.com/o/former"), refresh_after=0.0)


@pytest.fixture
def meet(monkeypatch: pytest.MonkeyPatch) -> threading.Barrier:
    """Lets two threads meet that have both locked something, if they can."""
    barrier = threading.Barrier(2)

    def after(module: Any, name: str) -> None:
        lock = getattr(module, name)

        def locked(*args: Any, **kwargs: Any) -> Any:
            found = lock(*args, **kwargs)
            with contextlib.suppress(threading.BrokenBarrierError):
                barrier.wait(PATIENCE)
            return found

        monkeypatch.setattr(module, name, locked)

    after(pushes, "lock")
    after(queries, "lock")
    after(names, "ask_about_name")
    after(submissions, "next_virtual_start")
    return barrier


@pytest.mark.usefixtures("meet")
@pytest.mark.parametrize("one", [_deliver, _count, _apply, _submit_former])
@pytest.mark.parametrize("other", [_submit, _apply])
def test_transactions_that_may_count_do_not_wait_for_each_other(
    postgresql: PostgresDatabase, one: Callable[[Database, int], None], other: Callable[[Database, int], None]
) -> None:
    number = add_board(postgresql)
    with postgresql.write() as session:
        session.run(
            "INSERT INTO former_name (key, repository_id, at) VALUES ('github.com/o/former', :id, 1)", id=number
        )
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(do, postgresql, number) for do in (one, other)]:
            done.result()
    assert repository(postgresql, number).state == "pending"


def _apply_gone(db: Database, number: int) -> None:
    with db.write() as session:
        apply(session, repository(db, number), HostAnswer(gone_code="missing"))


def _deliver_hidden(db: Database, _number: int) -> None:
    deliver(db, RecordingQueues(), dataclasses.replace(PUSH, kind=HookKind.HIDDEN))


def _fail(code: str) -> Callable[[Database, int], None]:
    def fail(db: Database, number: int) -> None:
        row = lease.grab(db, number, seconds=60)
        assert row is not None
        job = CommitJob(db, NO_SOURCE, lambda *_: NO_PEOPLE, lease_seconds=60, max_crashes=5, max_attempts=1)
        job.settle_dead(row, HistoryError(code, "It cannot be counted."))

    return fail


@pytest.mark.parametrize(
    "change", [_apply, _apply_gone, _deliver_hidden, _fail("missing"), _fail("empty")], ids=lambda do: do.__name__
)
def test_a_family_is_locked_in_order_before_one_of_its_rows(
    postgresql: PostgresDatabase, change: Callable[[Database, int], None]
) -> None:
    branch = add_repository(postgresql, "github.com/o/r#b", state="completed")
    number = add_board(postgresql)
    with postgresql.write() as session:
        session.run("UPDATE repository SET parent_key = 'github.com/o/r', revision = 'b' WHERE id = :id", id=branch)
        session.run("UPDATE repository SET gone_since = 1")
        session.run("UPDATE repository SET state = 'pending' WHERE id = :id", id=number)
    with ThreadPoolExecutor(1) as pool, postgresql.write() as session:
        queries.lock(session, branch)
        done = pool.submit(change, postgresql, number)
        wait_for_a_blocked_transaction(postgresql)
        with postgresql.write() as other:
            free = other.tuples("SELECT id FROM repository WHERE id = :id {skip_locked}", id=number)
    done.result()
    assert free == [(number,)]


def test_a_delivery_is_applied_again_after_a_conflict(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    number = add_board(sqlite)
    with sqlite.write() as session:
        session.run("UPDATE repository SET hook_due_at = NULL")
    conflicts: Iterator[bool] = iter([True, False])
    lock = pushes.lock

    def conflicting(*args: Any) -> Any:
        if next(conflicts):
            raise StorageError("The database was busy.", "database-conflict")
        return lock(*args)

    monkeypatch.setattr(pushes, "lock", conflicting)
    queues = RecordingQueues()
    assert deliver(sqlite, queues, PUSH) is Delivered.ACCEPTED
    assert queues.enqueued == [(number,)]
