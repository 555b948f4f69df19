"""A board that an older version counted is counted again, when nothing else waits, and stays until then."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from podium.errors import HistoryError
from podium.jobs import failures, reconciler
from podium.repositories.model import COUNTING_VERSION, State
from podium.repositories.store import transitions
from podium.storage.session import Database
from tests.support.rows import RecordingQueues, add_repository, leased, repository

GONE = HistoryError("gone", "It does not exist.")


def add_board(db: Database, name: str, *, version: int = COUNTING_VERSION - 1, host: str = "github.com") -> int:
    number = add_repository(db, f"github.com/o/{name}", host=host, state="completed")
    with db.write() as session:
        session.run(
            """UPDATE repository SET head = 'h', counting_version = :version, commits_processed_at = 1,
                last_processed_at = 1 WHERE id = :id""",
            id=number,
            version=version,
        )
    return number


def recount(db: Database) -> int | None:
    return reconciler.recount_outdated(db, RecordingQueues())


def test_one_outdated_board_at_a_time_is_counted_again(db: Database) -> None:
    first, second = add_board(db, "a"), add_board(db, "b")
    add_board(db, "current", version=COUNTING_VERSION)
    add_board(db, "path", host="")
    queues = RecordingQueues()
    assert reconciler.recount_outdated(db, queues) == first
    assert queues.enqueued == [(first,)]
    row = repository(db, first)
    assert (row.state, row.is_recount, row.has_board) == (State.PENDING, True, True)
    assert recount(db) is None
    with db.write() as session:
        session.run("UPDATE repository SET state = 'completed', counting_version = 99 WHERE id = :id", id=first)
    assert recount(db) == second
    with db.write() as session:
        session.run("UPDATE repository SET state = 'completed', counting_version = 99 WHERE id = :id", id=second)
    assert recount(db) is None


def test_an_outdated_board_waits_for_every_other_repository_that_is_due(db: Database) -> None:
    outdated, other = add_board(db, "a"), add_repository(db)
    assert recount(db) is None
    with db.write() as session:
        session.run("UPDATE repository SET not_before = {now} + 100 WHERE id = :id", id=other)
    assert recount(db) == outdated


def test_several_reconcilers_start_one_recount(db: Database) -> None:
    for name in "abcdefgh":
        add_board(db, name)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: recount(db), range(8)))
    assert len([number for number in found if number is not None]) == 1


def test_a_recount_that_fails_leaves_the_board_and_is_tried_again_on_another_day(db: Database) -> None:
    number = add_board(db, "a")
    assert recount(db) == number
    with leased(db, number) as held, held.fence() as session:
        failures.apply(session, held.repository, 5, GONE)
    row = repository(db, number)
    assert (row.state, row.refresh_error, row.is_recount, row.error) == (State.COMPLETED, GONE.message, False, None)
    assert recount(db) is None
    with db.write() as session:
        session.run("UPDATE repository SET refresh_error_at = refresh_error_at - 90000 WHERE id = :id", id=number)
    assert recount(db) == number
    with leased(db, number) as held, held.fence() as session:
        failures.fail_crashed(session, held.repository, 5)
    assert repository(db, number).state == State.COMPLETED


def test_a_refresh_that_a_client_asked_for_leaves_the_board(db: Database) -> None:
    number = add_board(db, "a")
    assert recount(db) == number
    with db.write() as session:
        transitions.restart(session, number, State.PENDING, virtual_start=0, client_id="c")
    with leased(db, number) as held, held.fence() as session:
        failures.apply(session, held.repository, 5, GONE)
    assert repository(db, number).state == State.COMPLETED


@pytest.mark.parametrize("code", ["worker-crashed", "git-failed", "internal", "empty"])
@pytest.mark.parametrize("asked_by", ["schedule", "push", "client"])
def test_a_refresh_that_fails_leaves_the_board_unless_a_client_is_shown_an_empty_repository(
    db: Database, asked_by: str, code: str
) -> None:
    number = add_board(db, "a", version=COUNTING_VERSION)
    with db.write() as session:
        is_scheduled, client = asked_by == "schedule", None if asked_by == "schedule" else asked_by
        args: dict[str, Any] = {"virtual_start": 0, "client_id": client, "is_scheduled": is_scheduled}
        transitions.restart(session, number, State.COMPLETED, **args)
    with leased(db, number) as held, held.fence() as session:
        failures.fail(session, held.repository, code, "It did not work.")
    row = repository(db, number)
    is_left = code == "empty" and not is_scheduled
    assert row.state == (State.FAILED if is_left else State.COMPLETED)
    assert (row.error if is_left else row.refresh_error) == "It did not work."
    assert not row.is_scheduled


def test_a_damaged_count_is_counted_again(db: Database) -> None:
    number = add_board(db, "a", version=COUNTING_VERSION)
    with db.write() as session:
        assert not transitions.void_count(session, number, 7)
        assert transitions.void_count(session, number, 0)
    assert recount(db) == number
