"""Lease, fence, batches, reconciler, retry rule: one holder at a time, whoever dies or wakes up late."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from podium.errors import HistoryError, Interrupted, LeaseLost, QueueError, StorageError
from podium.jobs import batches, failures, lease, reconciler
from podium.jobs.overflow import OverflowSlot
from podium.jobs.queues import NullQueues
from podium.jobs.retry import Fail, HandBack, Later, Retry, decide
from podium.repositories.address import parse_address
from podium.repositories.fair_queue import ClientIds
from podium.storage import migrate
from podium.storage.postgres import PostgresDatabase
from podium.storage.retry_transaction import retry_transaction
from podium.storage.session import Database
from podium.submissions.submit import submit
from tests.support.postgres import running_postgres
from tests.support.rows import RecordingQueues, add_person, add_repository, repository


@pytest.fixture
def repository_id(db: Database) -> int:
    return add_repository(db)


def expire_lease(db: Database, repository_id: int) -> None:
    """As if the holder had been silent for longer than its lease."""
    with db.write() as session:
        session.run("UPDATE repository SET lease_until = {now} - 0.01 WHERE id = :id", id=repository_id)


def test_a_lease_has_one_holder_at_a_time(db: Database, repository_id: int) -> None:
    with lease.take(db, repository_id, seconds=30) as first:
        assert first is not None
        with lease.take(db, repository_id, seconds=30) as second:
            assert second is None
    with lease.take(db, repository_id, seconds=30) as third:
        assert third is not None
        assert third.row["lease_token"] == first.row["lease_token"] + 1


def test_of_many_that_take_at_once_one_holds(db: Database, repository_id: int) -> None:
    everybody = threading.Barrier(8)
    done = threading.Barrier(8)

    def hold() -> bool:
        everybody.wait()
        with lease.take(db, repository_id, seconds=30) as held:
            done.wait()
            return held is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: hold(), range(8))) == 1


def test_a_holder_that_was_silent_too_long_can_save_nothing(db: Database, repository_id: int) -> None:
    with lease.take(db, repository_id, seconds=3600) as late:
        assert late is not None
        expire_lease(db, repository_id)
        with lease.take(db, repository_id, seconds=3600) as successor:
            assert successor is not None
            assert successor.row["crashes"] == 1
            with pytest.raises(LeaseLost), late.fence() as session:
                session.run("UPDATE repository SET head = 'late' WHERE id = :id", id=repository_id)
            assert late.lost.is_set()
            with successor.fence() as session:
                session.run("UPDATE repository SET head = 'right' WHERE id = :id", id=repository_id)
    assert repository(db, repository_id)["head"] == "right"


def test_the_late_holder_does_not_release_its_successors_lease(db: Database, repository_id: int) -> None:
    late = lease.take(db, repository_id, seconds=3600)
    late.__enter__()
    expire_lease(db, repository_id)
    with lease.take(db, repository_id, seconds=3600) as successor:
        assert successor is not None
        late.__exit__(None, None, None)
        assert repository(db, repository_id)["lease_holder"] is not None
        with successor.fence():
            pass


def test_a_lease_is_renewed_while_its_holder_works(db: Database, repository_id: int) -> None:
    with lease.take(db, repository_id, seconds=0.4) as held:
        assert held is not None
        first = repository(db, repository_id)["lease_until"]
        waiting = threading.Event()
        for _ in range(100):
            if repository(db, repository_id)["lease_until"] > first + 0.5:
                break
            waiting.wait(0.05)
        else:
            pytest.fail("the lease was never renewed")
        with lease.take(db, repository_id, seconds=30) as other:
            assert other is None


def test_losing_the_lease_is_noticed_at_the_next_renewal(db: Database, repository_id: int) -> None:
    with lease.take(db, repository_id, seconds=0.4) as held:
        assert held is not None
        with db.write() as session:
            session.run("UPDATE repository SET lease_token = lease_token + 1 WHERE id = :id", id=repository_id)
        assert held.lost.wait(10)


def test_progress_of_a_holder_that_lost_its_lease_is_not_shown(db: Database, repository_id: int) -> None:
    with lease.take(db, repository_id, seconds=3600) as held:
        assert held is not None
        lease.save_progress(db, held.row, "mine")
        with db.write() as session:
            session.run("UPDATE repository SET lease_token = lease_token + 1 WHERE id = :id", id=repository_id)
        lease.save_progress(db, held.row, "late")
    assert repository(db, repository_id)["progress"] == "mine"


def test_a_holder_that_saves_for_longer_than_its_lease_is_not_taken_for_dead(db: Database, repository_id: int) -> None:
    begun = threading.Event()

    def others() -> Any:
        assert begun.wait(10)
        # Waits for the row (the database, with SQLite), and finds that the lease holds.
        return lease.grab(db, repository_id, seconds=30)

    with lease.take(db, repository_id, seconds=0.4) as held, ThreadPoolExecutor(1) as pool:
        assert held is not None
        grabbed = pool.submit(others)
        with held.fence() as session:
            begun.set()
            session.run("UPDATE repository SET head = 'mine' WHERE id = :id", id=repository_id)
            threading.Event().wait(1)
        assert grabbed.result() is None
    assert repository(db, repository_id)["crashes"] == 0


def test_a_child_process_goes_on_with_its_parents_lease_and_no_other(db: Database, repository_id: int) -> None:
    row = lease.grab(db, repository_id, seconds=30)
    assert row is not None
    adopted = lease.adopt(db, repository_id, row["lease_token"], seconds=60)
    assert adopted is not None
    assert adopted["lease_until"] > row["lease_until"]
    assert lease.adopt(db, repository_id, row["lease_token"] - 1, seconds=60) is None
    lease.give_back(db, row)
    assert lease.adopt(db, repository_id, row["lease_token"], seconds=60) is None


def test_a_lease_that_could_not_be_renewed_because_the_server_was_away_is_left_to_its_holder(tmp_path: Path) -> None:
    with running_postgres() as server:
        url = server.url(server.create())
        migrate.migrate(url)
        with contextlib.closing(PostgresDatabase(url, most=2)) as db:
            number = add_repository(db)
            row = lease.grab(db, number, seconds=30)
            assert row is not None
            with db.write() as session:
                session.run("UPDATE repository SET lease_until = {up_since} - 1 WHERE id = :id", id=number)
            assert lease.grab(db, number, seconds=30) is None
            assert enqueue_due(db, everything_before=4e9) == []
            assert lease.adopt(db, number, row["lease_token"], seconds=30) is not None
            with db.write() as session:
                session.run("UPDATE repository SET lease_until = {up_since} WHERE id = :id", id=number)
            assert lease.grab(db, number, seconds=30) is not None


# --- turns


def submitted(db: Database, name: str, client_id: str | None) -> int:
    return int(
        submit(db, NullQueues(), parse_address(f"o/{name}"), refresh_after=0, client_id=client_id).repository["id"]
    )


def next_ones(db: Database) -> list[str]:
    """The names of what waits, in the order in which workers take it."""
    names = []
    while (row := lease.grab_next(db, 0, seconds=30)) is not None:
        names.append(row["name"])
    return names


def test_one_clients_many_do_not_keep_anothers_one_waiting(db: Database) -> None:
    for n in range(20):
        submitted(db, f"many{n}", "a")
    submitted(db, "one", "b")
    order = next_ones(db)
    assert len(order) == 21
    assert order.index("one") == 1


def test_clients_take_turns_whenever_they_came(db: Database) -> None:
    for n in range(6):
        submitted(db, f"a{n}", "a")
    done = [lease.grab_next(db, 0, seconds=30) for _ in range(3)]
    assert [row and row["name"] for row in done] == ["a0", "a1", "a2"]
    for n in range(3):
        submitted(db, f"b{n}", "b")
    assert next_ones(db) == ["a3", "b0", "a4", "b1", "a5", "b2"]


def test_what_waits_for_long_holds_nobodys_turn_back(db: Database) -> None:
    stuck = submitted(db, "stuck", "a")
    with db.write() as session:
        session.run("UPDATE repository SET not_before = {now} + 300 WHERE id = :id", id=stuck)
    for n in range(4):
        submitted(db, f"a{n}", "a")
    assert [row and row["name"] for row in [lease.grab_next(db, 0, seconds=30) for _ in range(2)]] == ["a0", "a1"]
    for n in range(3):
        submitted(db, f"b{n}", "b")
    assert next_ones(db) == ["a2", "b0", "a3", "b1", "b2"]


def test_whose_turn_it_is_is_taken_once_and_else_whoever_was_rung_for(db: Database) -> None:
    numbers = [submitted(db, f"r{n}", None) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(lambda _: lease.grab_next(db, numbers[0], seconds=30), range(10)))
    taken = [row["id"] for row in rows if row is not None]
    assert sorted(taken) == numbers
    waiting = submitted(db, "waiting", None)
    with db.write() as session:
        session.run("UPDATE repository SET not_before = {now} + 0.05 WHERE id = :id", id=waiting)
    row = lease.grab_next(db, waiting, seconds=30)
    assert row is not None and row["id"] == waiting


def test_local_and_finished_repositories_have_no_turn(db: Database) -> None:
    for state in ("completed", "failed", "users_processing"):
        add_repository(db, key=state, state=state)
    add_repository(db, key="file:///x", host="")
    assert lease.grab_next(db, 0, seconds=30) is None


def test_names_of_clients_say_nothing_and_differ_from_process_to_process() -> None:
    here, there = ClientIds(), ClientIds()
    assert here.name("10.0.0.1") == here.name("10.0.0.1") != here.name("10.0.0.2")
    assert here.name("10.0.0.1") != there.name("10.0.0.1")


# --- batches


@pytest.fixture
def resolving(db: Database) -> Iterator[int]:
    """A repository with 120 e-mails to resolve, one of them under two names."""
    number = add_repository(db, state="users_processing", generation=1)
    for n in range(120):
        add_person(db, number, f"p{n:03}@example.org", commits=200 - n)
    add_person(db, number, "p000@example.org", name="Another Name", commits=1)
    with db.write() as session:
        assert batches.assign(session, number) == 120
    yield number


def test_batches_hold_fifty_emails_those_with_most_commits_first(db: Database, resolving: int) -> None:
    with db.read() as session:
        rows = session.all("SELECT batch, email FROM commit_data WHERE repository_id = :id", id=resolving)
        assert batches.unclaimed(session, resolving) == [0, 1, 2]
    emails = {number: {row["email"] for row in rows if row["batch"] == number} for number in range(3)}
    assert [len(emails[number]) for number in range(3)] == [50, 50, 20]
    assert max(emails[0]) < min(emails[1])
    assert max(emails[1]) < min(emails[2])


def test_a_batch_that_is_rung_twice_is_claimed_once(db: Database, resolving: int) -> None:
    with db.write() as session:
        rows, _ = batches.claim(session, resolving, 0, "first")
        assert len(rows) == 51
    with db.write() as session:
        assert batches.claim(session, resolving, 0, "second") == ([], False)
        assert batches.unclaimed(session, resolving) == [1, 2]


def test_a_claim_that_ran_out_passes_on_and_can_finish_nothing(db: Database, resolving: int) -> None:
    with db.write() as session:
        batches.claim(session, resolving, 2, "dead")
        session.run("UPDATE commit_data SET claim_until = {now} - 1 WHERE claim_token = 'dead'")
    with db.write() as session:
        rows, holder_died = batches.claim(session, resolving, 2, "heir")
        assert (len(rows), holder_died) == (20, True)
        assert batches.finish(session, resolving, 2, "dead") == 0
        assert batches.finish(session, resolving, 2, "heir") == 20


def test_only_the_last_batch_completes(db: Database, resolving: int) -> None:
    for number, expected in ((0, False), (2, False), (1, True)):
        with db.write() as session:
            batches.claim(session, resolving, number, "me")
            batches.finish(session, resolving, number, "me")
            assert batches.complete(session, resolving) is expected
    row = repository(db, resolving)
    assert row["state"] == "completed"
    assert row["last_processed_at"] is not None


def test_last_batches_that_end_at_the_same_moment_complete_once(db: Database) -> None:
    for turn in range(100):
        number = add_repository(db, key=f"turn-{turn}", state="users_processing", generation=1)
        for n in range(100):
            add_person(db, number, f"p{n}@example.org")
        with db.write() as session:
            batches.assign(session, number)
        together = threading.Barrier(2)

        def work(batch: int, number: int = number, together: threading.Barrier = together) -> bool:
            with db.write() as session:
                batches.claim(session, number, batch, f"worker-{batch}")
            together.wait()
            with db.write() as session:
                batches.lock(session, number)
                batches.finish(session, number, batch, f"worker-{batch}")
                return batches.complete(session, number)

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(work, range(2))) == [False, True]
        assert repository(db, number)["state"] == "completed"


# --- reconciler


def enqueue_due(db: Database, **options: float) -> list[tuple[int, ...]]:
    queues = RecordingQueues()
    reconciler.enqueue_due(db, queues, **options)
    return queues.enqueued


def age(db: Database, repository_id: int, seconds: float) -> None:
    """As if nothing had happened to the repository for that long."""
    with db.write() as session:
        session.run(
            "UPDATE repository SET enqueued_at = enqueued_at - :s, updated_at = updated_at - :s WHERE id = :id",
            s=seconds,
            id=repository_id,
        )


def test_what_was_never_rung_is_rung_once(db: Database) -> None:
    number = add_repository(db, enqueued_at=None)
    assert enqueue_due(db) == [(number,)]
    assert enqueue_due(db) == []


def test_a_queue_that_lost_its_messages_is_filled_again(db: Database) -> None:
    number = add_repository(db)
    assert enqueue_due(db) == []
    age(db, number, 60)
    assert enqueue_due(db) == [(number,)]


def test_what_waits_long_is_rung_ever_more_seldom(db: Database) -> None:
    number = add_repository(db)
    rung = 0
    for _ in range(360):
        age(db, number, 10)
        rung += len(enqueue_due(db))
    assert 5 <= rung <= 12


def test_a_process_whose_queue_starts_empty_rings_for_everything(db: Database) -> None:
    number = add_repository(db)
    assert enqueue_due(db, everything_before=4e9) == [(number,)]


def test_what_is_held_is_left_alone_and_what_a_killed_holder_left_is_rung_at_once(db: Database) -> None:
    number = add_repository(db)
    held = lease.take(db, number, seconds=3600)
    held.__enter__()
    age(db, number, 3600)
    assert enqueue_due(db) == []
    expire_lease(db, number)
    assert enqueue_due(db) == [(number,)]


def test_what_must_wait_is_left_alone_until_its_time(db: Database) -> None:
    number = add_repository(db)
    with db.write() as session:
        session.run("UPDATE repository SET not_before = {now} + 100 WHERE id = :id", id=number)
    age(db, number, 3600)
    assert enqueue_due(db) == []
    with db.write() as session:
        session.run("UPDATE repository SET not_before = {now} - 1 WHERE id = :id", id=number)
    assert enqueue_due(db) == [(number,)]


def test_batches_that_nobody_works_on_are_rung(db: Database, resolving: int) -> None:
    with db.write() as session:
        batches.claim(session, resolving, 1, "somebody")
    age(db, resolving, 60)
    assert enqueue_due(db) == [(resolving, 1, 0), (resolving, 1, 2)]


def test_a_repository_with_nothing_left_is_rung_to_be_completed(db: Database) -> None:
    number = add_repository(db, state="users_processing", generation=3)
    age(db, number, 60)
    assert enqueue_due(db) == [(number, 3, 0)]


def test_finished_and_local_repositories_are_never_rung(db: Database) -> None:
    for state in ("completed", "failed"):
        add_repository(db, key=state, state=state, enqueued_at=None)
    add_repository(db, key="file:///x", host="", enqueued_at=None)
    assert enqueue_due(db, everything_before=4e9) == []


def test_a_row_that_is_locked_keeps_no_other_waiting(postgresql: Database) -> None:
    locked, free = (add_repository(postgresql, key=key, enqueued_at=None) for key in ("locked", "free"))
    with postgresql.write() as session:
        batches.lock(session, locked)
        assert enqueue_due(postgresql) == [(free,)]
    assert enqueue_due(postgresql) == [(locked,)]


def test_many_reconcilers_ring_once(db: Database) -> None:
    for n in range(20):
        add_repository(db, key=f"r{n}", enqueued_at=None)
    queues = RecordingQueues()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: reconciler.enqueue_due(db, queues), range(4)))
    assert len(queues.enqueued) == len(set(queues.enqueued)) == 20


@pytest.fixture
def giant(db: Database) -> int:
    """A repository of 20 batches."""
    number = add_repository(db, state="users_processing", generation=1)
    columns = ("repository_id", "email", "name", "mailmap_email", "mailmap_name", "mailmap_identity", "sample_sha")
    with db.write() as session:
        session.copy("commit_data", columns, [(number, *[f"p{n:04}@example.org"] * 5, "") for n in range(1000)])
        batches.assign(session, number)
    return number


def finish(db: Database, repository_id: int, *numbers: int) -> None:
    with db.write() as session:
        for batch in numbers:
            batches.claim(session, repository_id, batch, "me")
            batches.finish(session, repository_id, batch, "me")


def following(db: Database, repository_id: int, batch: int, generation: int = 1) -> list[tuple[int, ...]]:
    queues = RecordingQueues()
    reconciler.enqueue_following_batch(db, queues, repository_id, generation, batch)
    return queues.enqueued


def test_of_a_giant_a_few_batches_are_rung_and_each_is_followed_by_another(db: Database, giant: int) -> None:
    queues = RecordingQueues()
    assert reconciler.enqueue_next(db, queues, giant) == "users_processing"
    assert queues.enqueued == [(giant, 1, batch) for batch in range(8)]
    finish(db, giant, 0, 3)
    assert following(db, giant, 0) == [(giant, 1, 8)]
    assert following(db, giant, 3) == [(giant, 1, 11)]
    finish(db, giant, 8)
    assert following(db, giant, 0) == [(giant, 1, 16)]
    assert following(db, giant, 16) == []


def test_nothing_follows_where_nothing_may_be_done(db: Database, giant: int) -> None:
    assert following(db, giant, 0, generation=2) == []
    with db.write() as session:
        session.run("UPDATE repository SET not_before = {now} + 60")
    assert following(db, giant, 0) == []
    with db.write() as session:
        session.run("UPDATE repository SET not_before = NULL, state = 'completed'")
    assert following(db, giant, 0) == []


def test_following_one_another_all_batches_are_done(db: Database, giant: int) -> None:
    queues = RecordingQueues()
    reconciler.enqueue_next(db, queues, giant)
    for done, (_, _, batch) in enumerate(queues.enqueued, start=1):
        finish(db, giant, batch)
        reconciler.enqueue_following_batch(db, queues, giant, 1, batch)
        assert len(queues.enqueued) - done <= 8
    assert sorted(batch for _, _, batch in queues.enqueued) == list(range(20))


# --- the retry rule, as a table

TRANSIENT = HistoryError("unreachable", "try later", transient=True)


@pytest.mark.parametrize(
    ("error", "attempts", "expected"),
    [
        (HistoryError("missing", "gone"), 0, Fail("missing", "gone")),
        (TRANSIENT, 0, Retry(2.0)),
        (TRANSIENT, 1, Retry(4.0)),
        (TRANSIENT, 2, Retry(8.0)),
        (TRANSIENT, 3, Fail("unreachable", "try later")),
        (StorageError("busy"), 99, Later(5.0)),
        (QueueError("away"), 99, Later(5.0)),
        (Interrupted("stop"), 9, HandBack()),
        (LeaseLost("taken"), 9, HandBack()),
    ],
)
def test_what_follows_from_an_error(error: Exception, attempts: int, expected: object) -> None:
    assert decide(error, attempts, max_attempts=4, jitter=0.0) == expected


def test_retries_are_spread_and_bounded() -> None:
    assert decide(TRANSIENT, 0, 4, jitter=1.0) == Retry(4.0)
    assert decide(TRANSIENT, 50, 99, jitter=1.0) == Retry(300.0)


def test_an_unexpected_error_is_retried_and_then_fails_without_its_text() -> None:
    assert isinstance(decide(ValueError("secret"), 0, 4, 0.0), Retry)
    failed = decide(ValueError("secret"), 3, 4, 0.0)
    assert isinstance(failed, Fail)
    assert "ValueError" in failed.reason
    assert "secret" not in failed.reason


def test_a_failure_is_saved_with_its_reason_and_a_retry_with_its_time(db: Database, repository_id: int) -> None:
    with db.write() as session:
        failures.record(session, repository_id, 0, 4, TRANSIENT)
    row = repository(db, repository_id)
    assert (row["state"], row["attempts"]) == ("pending", 1)
    assert row["not_before"] > row["updated_at"]
    with db.write() as session:
        failures.record(session, repository_id, 3, 4, TRANSIENT)
    row = repository(db, repository_id)
    assert (row["state"], row["error_code"], row["error"]) == ("failed", "unreachable", "try later")


def test_a_database_or_a_queue_that_is_away_is_never_held_against_a_repository(
    db: Database, repository_id: int
) -> None:
    for error in (StorageError("away"), QueueError("away")):
        with db.write() as session:
            failures.record(session, repository_id, 3, 4, error)
        row = repository(db, repository_id)
        assert (row["state"], row["attempts"]) == ("pending", 0)
        assert row["not_before"] > row["updated_at"]


def test_a_transaction_that_was_broken_off_is_done_again() -> None:
    calls: list[int] = []

    def do() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise StorageError("broken off")
        return 7

    assert retry_transaction(do, threading.Event()) == 7
    stopped = threading.Event()
    stopped.set()
    calls.clear()
    with pytest.raises(StorageError):
        retry_transaction(do, stopped)
    assert len(calls) == 1


# --- the overflow slot


def test_a_job_that_takes_long_goes_on_beside_and_one_too_many_is_waited_for() -> None:
    slot, go_on, done = OverflowSlot(after=0.1, size=1), threading.Event(), []

    def long() -> None:
        go_on.wait(30)
        done.append("long")

    assert slot.run(lambda: done.append("short")) is True
    assert slot.run(long) is False
    assert not slot.is_empty
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(slot.run, long)
        assert slot.run(lambda: done.append("short")) is True
        assert not second.done()
        go_on.set()
        assert second.result(10) in (True, False)
    slot.wait(10)
    assert sorted(done) == ["long", "long", "short", "short"]
    assert slot.is_empty


def test_what_a_job_raises_reaches_whoever_waits_for_it_and_else_the_log(caplog: pytest.LogCaptureFixture) -> None:
    slot, go_on = OverflowSlot(after=0.1), threading.Event()

    def fail() -> None:
        raise ValueError("at once")

    def fail_late() -> None:
        go_on.wait(30)
        raise ValueError("later")

    with pytest.raises(ValueError, match="at once"):
        slot.run(fail)
    assert slot.run(fail_late) is False
    go_on.set()
    slot.wait(10)
    assert "later" in caplog.text
