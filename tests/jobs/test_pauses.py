"""What an administrator pauses waits, and is done by itself after a resume."""

from __future__ import annotations

import threading

import pytest

from podium.errors import QueueFull
from podium.jobs import failures, lease, reconciler
from podium.repositories.address import parse_address
from podium.repositories.listing import describe
from podium.repositories.model import COUNTING_VERSION, Repository, State, WaitingCode
from podium.repositories.store import transitions
from podium.repositories.store.queue import pauses
from podium.repositories.store.queue.pauses import PauseKind
from podium.storage.postgresql.postgres import PostgresDatabase
from podium.storage.session import Database
from podium.submissions import admin
from podium.submissions.capacity import Capacity
from podium.submissions.submit import submit
from tests.support.rows import RecordingQueues, add_repository, repository, wait_for_a_blocked_transaction

REASON = "An administrator has paused github.com: its repositories are counted when it is resumed."


def add(db: Database, name: str, *, host: str = "github.com", state: str = "pending", **values: object) -> int:
    number = add_repository(db, f"{host}/o/{name}", host=host, state=state)
    with db.write() as session:
        for column, value in values.items():
            session.run(f"UPDATE repository SET {column} = :value WHERE id = :id", id=number, value=value)
    return number


def add_board(db: Database, name: str, **values: object) -> int:
    board = {"head": "h", "counting_version": COUNTING_VERSION, "commits_processed_at": 1.0, "last_processed_at": 1.0}
    return add(db, name, **{"state": "completed", **board, **values})  # type: ignore[arg-type]


def pause(db: Database, kind: PauseKind, name: str = "") -> bool:
    with db.write() as session:
        return pauses.pause(session, kind, name)


def resume(db: Database, kind: PauseKind, name: str = "") -> bool:
    with db.write() as session:
        return pauses.resume(session, kind, name)


def work(db: Database) -> list[int]:
    """Take all that is due, as workers do; return what they count."""
    counted = []
    while (row := lease.grab_next(db, 0, seconds=30)) is not None:
        with lease.hold(db, row, seconds=30) as held, held.fence() as session:
            if not failures.must_wait(session, row):
                counted.append(row.id)
                transitions.fail(session, row, code="internal", reason="It was counted.")
    return counted


def pass_time(db: Database, seconds: float) -> None:
    with db.write() as session:
        session.run(
            "UPDATE repository SET not_before = not_before - :seconds, check_at = check_at - :seconds", seconds=seconds
        )


def submitted(db: Database, address: str, queues: RecordingQueues | None = None) -> Repository:
    return submit(db, queues or RecordingQueues(), parse_address(address), refresh_after=0).repository


def may(db: Database, condition: str) -> list[int]:
    with db.read() as session:
        return [row["id"] for row in session.all(f"SELECT id FROM repository WHERE {condition} ORDER BY id")]


def test_nothing_of_a_paused_host_is_counted_until_it_is_resumed(db: Database) -> None:
    waiting, other = add(db, "a"), add(db, "b", host="gitlab.com")
    refreshed, tried_again = (
        add_board(db, "c", state="pending"),
        add_board(db, "d", waiting_code=WaitingCode.OWN_TRY, not_before=5.0, refresh_error="It was away."),
    )
    assert pause(db, PauseKind.HOST, "github.com")
    assert not pause(db, PauseKind.HOST, "github.com")
    queues = RecordingQueues()
    new = submitted(db, "https://github.com/o/new", queues)
    assert (new.state, new.waiting_code, new.waiting_reason) == (State.PENDING, WaitingCode.HOST_IS_PAUSED, REASON)
    assert not queues.enqueued
    board = submitted(db, "https://github.com/o/c")
    assert (board.state, board.has_board, board.refresh_error) == (State.COMPLETED, True, REASON)
    assert describe(repository(db, waiting))["waitingReason"] == REASON
    assert work(db) == [other]
    reconciler.try_hosts_again(db, queues)
    assert not queues.enqueued
    # What is due by itself waits again.
    pass_time(db, 3 * 86_400)
    reconciler.try_hosts_again(db, queues)
    assert work(db) == []
    assert repository(db, tried_again).state == State.COMPLETED
    assert resume(db, PauseKind.HOST, "github.com")
    assert not resume(db, PauseKind.HOST, "github.com")
    pass_time(db, 300)
    reconciler.try_hosts_again(db, queues)
    assert sorted(work(db)) == sorted([waiting, refreshed, tried_again, new.id])


def test_what_a_resumed_host_left_waiting_begins_one_after_the_other(db: Database) -> None:
    numbers = [add(db, str(number)) for number in range(9)]
    pause(db, PauseKind.HOST, "github.com")
    resume(db, PauseKind.HOST, "github.com")
    times = [repository(db, number).not_before or 0.0 for number in numbers]
    assert len(set(times)) == 9 and times == sorted(times) and times[-1] - times[0] < 300


def test_a_repository_that_arrives_beside_a_pause_is_parked_by_its_worker(db: Database) -> None:
    pause(db, PauseKind.HOST, "github.com")
    late = add(db, "late")
    assert work(db) == []
    assert repository(db, late).waiting_code == WaitingCode.HOST_IS_PAUSED


def test_a_pause_waits_for_a_count_that_runs(db: Database) -> None:
    number = add(db, "a")
    row = lease.grab_next(db, 0, seconds=30)
    assert row is not None
    pause(db, PauseKind.HOST, "github.com")
    with lease.hold(db, row, seconds=30) as held, held.fence() as session:
        assert transitions.start_counting(session, row)
    assert repository(db, number).state == State.COMMITS_PROCESSING


def test_retries_at_a_paused_host_wait(db: Database) -> None:
    one, many = add(db, "a", state="failed"), add(db, "b", state="failed", error_code="internal")
    pause(db, PauseKind.HOST, "github.com")
    admin.retry(db, [one], actor="test")
    admin.retry_code(db, "internal", actor="test")
    assert {repository(db, number).waiting_code for number in (one, many)} == {WaitingCode.HOST_IS_PAUSED}
    admin.retry(db, [], actor="test")
    assert work(db) == []


def test_an_outdated_board_of_a_paused_host_stays_as_it_is(db: Database) -> None:
    board = add_board(db, "a", counting_version=COUNTING_VERSION - 1)
    pause(db, PauseKind.HOST, "github.com")
    assert reconciler.recount_outdated(db, RecordingQueues()) is None
    resume(db, PauseKind.HOST, "github.com")
    assert reconciler.recount_outdated(db, RecordingQueues()) == board


def test_what_waits_for_a_paused_host_takes_no_room_in_the_queue(db: Database) -> None:
    add(db, "a")
    with db.read() as session, pytest.raises(QueueFull):
        Capacity(1, 1).check(session)
    pause(db, PauseKind.HOST, "github.com")
    with db.read() as session:
        Capacity(1, 1).check(session)


def test_a_paused_schedule_calls_back_what_it_asked_for_and_nothing_else(db: Database) -> None:
    scheduled = add_board(db, "a", state="pending", is_scheduled=True, check_at=9e9)
    person, first = add_board(db, "b", state="pending"), add(db, "c", is_scheduled=True)
    assert pause(db, PauseKind.SCHEDULE)
    row = repository(db, scheduled)
    assert (row.state, row.is_scheduled, row.refresh_error) == (State.COMPLETED, False, None)
    # A check finds its new head after the resume.
    assert may(db, "check_at <= {now} + 600") == [scheduled]
    assert may(db, pauses.MAY_REFRESH) == []
    late = add_board(db, "late", state="pending", is_scheduled=True)
    assert submitted(db, "https://github.com/o/new").waiting_code is None
    assert sorted(work(db)) == [person, first, late + 1]
    assert repository(db, late).state == State.COMPLETED
    assert resume(db, PauseKind.SCHEDULE)
    assert scheduled in may(db, pauses.MAY_REFRESH)


def test_a_paused_repository_is_refreshed_by_people_only(db: Database) -> None:
    paused = add_board(db, "a", state="pending", is_scheduled=True, check_at=9e9)
    other = add_board(db, "b", state="pending", is_scheduled=True)
    assert pause(db, PauseKind.REPOSITORY, str(paused))
    assert repository(db, paused).state == State.COMPLETED
    assert may(db, pauses.MAY_REFRESH) == [other]
    submitted(db, "https://github.com/o/a")
    assert repository(db, paused).state == State.PENDING
    assert sorted(work(db)) == [paused, other]
    resume(db, PauseKind.REPOSITORY, str(paused))
    assert may(db, pauses.MAY_REFRESH) == [paused, other]


def test_checks_of_what_is_paused_are_put_off_and_due_within_an_hour_of_a_resume(db: Database) -> None:
    numbers = [add_board(db, str(number), check_at=5.0) for number in range(4)]
    single, free = (add_board(db, name, host="gitlab.com", check_at=5.0) for name in ("single", "free"))
    with db.write() as session:
        assert pauses.postpone_checks(session) == 0
    pause(db, PauseKind.HOST, "github.com")
    pause(db, PauseKind.REPOSITORY, str(single))
    with db.write() as session:
        assert pauses.postpone_checks(session) == 5
        assert pauses.postpone_checks(session) == 0
    assert may(db, "check_at <= {now}") == [free]
    assert may(db, pauses.MAY_REFRESH) == [free]
    assert may(db, pauses.MAY_CHECK) == [single, free]
    resume(db, PauseKind.HOST, "github.com")
    resume(db, PauseKind.REPOSITORY, str(single))
    assert may(db, "check_at <= {now}") == [single, free]
    pass_time(db, 3600)
    assert may(db, "check_at <= {now}") == [*numbers, single, free]
    assert len({repository(db, number).check_at for number in numbers}) == 4


def test_what_is_paused_is_listed_the_longest_first(db: Database) -> None:
    number = add(db, "a")
    pause(db, PauseKind.REPOSITORY, str(number))
    pause(db, PauseKind.HOST, "github.com")
    pause(db, PauseKind.SCHEDULE)
    with db.write() as session:
        session.run("UPDATE pause SET at = CASE kind WHEN 'repository' THEN 1 WHEN 'host' THEN 2 ELSE 3 END")
    with db.read() as session:
        found = pauses.pauses(session, limit=10)
    assert [(one.kind, one.name, one.url, one.waiting) for one in found] == [
        (PauseKind.REPOSITORY, str(number), "https://github.com/o/a", 0),
        (PauseKind.HOST, "github.com", None, 1),
        (PauseKind.SCHEDULE, "", None, 0),
    ]


def test_a_resume_beside_a_worker_that_parks_leaves_nothing_behind(postgresql: PostgresDatabase) -> None:
    number = add(postgresql, "a")
    pause(postgresql, PauseKind.HOST, "github.com")
    pass_time(postgresql, 3 * 86_400)
    row = lease.grab_next(postgresql, 0, seconds=30)
    assert row is not None
    resumed = threading.Thread(target=resume, args=(postgresql, PauseKind.HOST, "github.com"))
    with postgresql.write() as session:
        assert pauses.hold_back(session, row)
        resumed.start()
        wait_for_a_blocked_transaction(postgresql)
    resumed.join()
    lease.give_back(postgresql, row)
    pass_time(postgresql, 300)
    assert work(postgresql) == [number]
