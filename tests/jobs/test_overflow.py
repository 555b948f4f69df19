"""Slow counts move off their worker threads or make way, so that a quick one always finds a thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from podium.errors import StorageError
from podium.jobs import lease, overflow
from podium.jobs.messages.broker import JobQueues
from podium.jobs.messages.memory_broker import MemoryBackend
from podium.jobs.messages.queues import NullQueues
from podium.jobs.overflow import OverflowSlots, RunningJob
from podium.jobs.slow_counts import SlowCounts
from podium.repositories.address import parse_address
from podium.repositories.model import Repository
from podium.repositories.store.queue import slow
from podium.storage.session import Database
from podium.submissions.submit import submit
from tests.support.rows import repository, some_repository
from tests.support.server import wait_until

# Seconds. Nothing renews these leases, so none may expire during a test on a busy machine.
LEASE = 3600.0


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overflow, "CHECK_SECONDS", 0.01)
    monkeypatch.setattr(overflow, "MAKE_WAY_SECONDS", 0.1)


def test_a_long_job_moves_to_the_slot_and_the_next_long_one_waits() -> None:
    slots, go_on, done = OverflowSlots(after=0.05), threading.Event(), []

    def long(_: RunningJob) -> None:
        go_on.wait(30)
        done.append("long")

    def short(_: RunningJob) -> None:
        done.append("short")

    assert slots.run(short) is True
    assert slots.run(long) is False
    assert not slots.is_empty
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(slots.run, long)
        assert slots.run(short) is True
        assert not second.done()
        go_on.set()
        assert second.result(10) in (True, False)
    slots.wait(10)
    assert sorted(done) == ["long", "long", "short", "short"]
    wait_until(lambda: slots.is_empty, "the slot to be free")


def test_an_error_of_a_job_reaches_its_caller_or_else_the_log(caplog: pytest.LogCaptureFixture) -> None:
    slots, go_on = OverflowSlots(after=0.05), threading.Event()

    def fail(_: RunningJob) -> None:
        raise ValueError("at once")

    def fail_late(_: RunningJob) -> None:
        go_on.wait(30)
        raise ValueError("later")

    with pytest.raises(ValueError, match="at once"):
        slots.run(fail)
    assert slots.run(fail_late) is False
    go_on.set()
    slots.wait(10)
    assert "later" in caplog.text


class Counts:
    """A worker whose slow counts end when they are released; the others end at once."""

    def __init__(self, db: Database, threads: int, per_client: int) -> None:
        self._db = db
        self._policy = SlowCounts(db, per_client)
        self._slots = OverflowSlots(0.05, threads, threads=threads, policy=self._policy)
        self._slow: dict[int, threading.Event] = {}
        self._lock = threading.Lock()
        self.running: set[int] = set()
        self.done: list[int] = []
        self.stopped: list[int] = []
        self.queues = JobQueues(
            MemoryBackend(),
            self._on_commits,
            lambda *_: None,
            commit_threads=threads,
            user_threads=0,
            overflow=self._slots,
        )

    def submit(self, name: str, client: str, *, slow: bool) -> int:
        address = parse_address(f"o/{name}")
        number = submit(self._db, NullQueues(), address, refresh_after=0, client_id=client).repository.id
        if slow:
            self._slow[number] = threading.Event()
        self.queues.enqueue_commits(number)
        return number

    def release(self) -> None:
        for event in self._slow.values():
            event.set()

    def _on_commits(self, enqueued: int, running: RunningJob) -> None:
        row = lease.grab_next(self._db, enqueued, seconds=LEASE)
        if row is None and self._slots.has_room and (number := self._policy.next_waiting()):
            row = lease.grab(self._db, number, seconds=LEASE)
        if row is None:
            # Another transaction may have locked it just now. The reconciler would find it.
            if repository(self._db, enqueued).state.stage == "commits":
                self.queues.enqueue_commits(enqueued, delay=0.1)
            return
        if row.state.stage != "commits":
            lease.give_back(self._db, row)
            return
        running.repository = row
        with self._lock:
            self.running.add(row.id)
        try:
            self._count(row, running)
        finally:
            lease.give_back(self._db, row)
            with self._lock:
                self.running.discard(row.id)
        self.queues.enqueue_commits(row.id)

    def _count(self, row: Repository, running: RunningJob) -> None:
        event = self._slow.get(row.id)
        while event is not None and not event.wait(0.01):
            if running.stop.is_set():
                self.stopped.append(row.id)
                return
        with self._db.write() as session:
            session.run("UPDATE repository SET state = 'users_processing', client_id = NULL WHERE id = :id", id=row.id)
        self.done.append(row.id)


@contextlib.contextmanager
def counting(db: Database, *, threads: int = 2, per_client: int = 1) -> Iterator[Counts]:
    counts = Counts(db, threads, per_client)
    counts.queues.start()
    try:
        yield counts
    finally:
        counts.release()
        counts.queues.stop()


@pytest.mark.parametrize("clients", [["a"] * 10, ["a", "b", "c", "d"], ["a"]])
@pytest.mark.parametrize("threads", [1, 2])
def test_slow_counts_leave_a_thread_for_the_quick_ones_of_others(
    db: Database, clients: list[str], threads: int
) -> None:
    with counting(db, threads=threads) as counts:
        slow = [counts.submit(f"slow{number}", client, slow=True) for number, client in enumerate(clients)]
        busy = min(len(slow), threads)
        wait_until(lambda: len(counts.running) >= busy, "the threads to be busy")
        quick = [counts.submit(f"quick{number}", "other", slow=False) for number in range(3)]
        wait_until(lambda: set(quick) <= set(counts.done), "the quick ones to be counted")
        assert set(counts.done) == set(quick)
        counts.release()
        wait_until(lambda: set(counts.done) == {*slow, *quick}, "the slow ones to be counted in the end")
        assert sorted(counts.done) == sorted([*slow, *quick])
    rows = [repository(db, number) for number in slow]
    assert {(row.attempts, row.crashes, row.not_before) for row in rows} == {(0, 0, None)}


def test_a_slow_count_is_not_stopped_for_the_same_client_or_for_none(db: Database) -> None:
    with counting(db) as counts:
        slow = [counts.submit(f"slow{number}", "a", slow=True) for number in range(3)]
        # One moves to a slot. The others keep the threads.
        wait_until(lambda: counts.running == set(slow), "all three to run")
        counts.submit("quick", "a", slow=False)
        assert counts.stopped == []
        assert sum(repository(db, number).is_slow for number in slow) == 1


def test_a_client_has_its_share_of_slow_counts(db: Database) -> None:
    with counting(db, threads=3, per_client=2) as counts:
        slow = [counts.submit(f"slow{number}", "a", slow=True) for number in range(4)]
        wait_until(lambda: counts.running == set(slow), "all to run")
        wait_until(lambda: sum(repository(db, number).is_slow for number in slow) == 2, "two to move")
        others = [counts.submit(f"other{number}", client, slow=True) for number, client in enumerate("bc")]
        # Both of the first client that hold a thread make way; the others take one slot each.
        wait_until(lambda: counts.running >= set(others), "the others to run")
        assert len(counts.running & set(slow)) >= 2


def test_without_the_database_a_slow_count_stays_where_it_is(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> bool:
        raise StorageError("The database is away.")

    for name in ("mark", "make_way", "next_waiting"):
        monkeypatch.setattr(slow, name, away)
    policy, row = SlowCounts(db, 1), some_repository(id=1)
    assert (policy.may_overflow(row), policy.must_make_way(row), policy.next_waiting()) == (False, False, None)
