"""A repository, its branches and its tags are counted one at a time, and hold no worker meanwhile."""

from __future__ import annotations

from podium.jobs import lease
from podium.jobs.messages.queues import NullQueues
from podium.jobs.reconciler import enqueue_followers
from podium.repositories.address import parse_address
from podium.repositories.store.queue import slow
from podium.storage.session import Database
from podium.submissions.submit import submit
from tests.support.rows import RecordingQueues, repository


def submitted(db: Database, text: str, rev: str | None = None) -> int:
    address = parse_address(text)
    address = address if rev is None else address.at_revision(rev)
    return submit(db, NullQueues(), address, refresh_after=0).repository.id


def grab_next(db: Database, enqueued: int) -> int | None:
    found = lease.grab_next(db, enqueued, seconds=60)
    return None if found is None else found.id


def test_no_worker_takes_a_second_revision_of_a_repository(db: Database) -> None:
    first, tag, default = submitted(db, "o/r", "a"), submitted(db, "o/r", "b"), submitted(db, "o/r")
    other = submitted(db, "o/other", "a")
    held = lease.grab_next(db, first, seconds=60)
    assert held is not None
    assert held.id == first
    assert [grab_next(db, tag), grab_next(db, default)] == [other, None]
    queues = RecordingQueues()
    lease.give_back(db, held)
    enqueue_followers(db, queues, held)
    assert queues.enqueued == [(tag,)]
    with db.write() as session:
        session.run("UPDATE repository SET state = 'completed' WHERE id = :id", id=first)
    assert [grab_next(db, tag), grab_next(db, default)] == [tag, None]
    enqueue_followers(db, queues, repository(db, other))
    assert queues.enqueued == [(tag,)]


def test_no_overflow_slot_takes_one_either(db: Database) -> None:
    first, tag = submitted(db, "o/r"), submitted(db, "o/r", "a")
    with db.write() as session:
        session.run("UPDATE repository SET is_slow = true")
        assert slow.next_waiting(session, per_client=1) == first
    assert lease.grab(db, first, seconds=60) is not None
    with db.read() as session:
        assert slow.next_waiting(session, per_client=1) is None
    assert tag != first
