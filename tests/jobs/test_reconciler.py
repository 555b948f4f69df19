"""The reconciler: enqueues what is due, whatever became of the messages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from podium.jobs import batches, lease, reconciler
from podium.repositories.store import queries
from podium.storage.session import Database
from tests.support.rows import RecordingQueues, add_repository, enqueue_due, expire_lease


def age(db: Database, repository_id: int, seconds: float) -> None:
    """As if nothing had happened to the repository for ``seconds``."""
    with db.write() as session:
        session.run(
            "UPDATE repository SET enqueued_at = enqueued_at - :s, updated_at = updated_at - :s WHERE id = :id",
            s=seconds,
            id=repository_id,
        )


def test_a_repository_that_was_never_enqueued_is_enqueued_once(db: Database) -> None:
    number = add_repository(db, enqueued_at=None)
    assert enqueue_due(db) == [(number,)]
    assert enqueue_due(db) == []


def test_a_queue_that_lost_its_messages_is_filled_again(db: Database) -> None:
    number = add_repository(db)
    assert enqueue_due(db) == []
    age(db, number, 60)
    assert enqueue_due(db) == [(number,)]


def test_a_repository_that_waits_is_enqueued_at_growing_intervals(db: Database) -> None:
    number = add_repository(db)
    count = 0
    for _ in range(360):
        age(db, number, 10)
        count += len(enqueue_due(db))
    assert 5 <= count <= 12


def test_a_process_whose_queue_starts_empty_enqueues_everything(db: Database) -> None:
    number = add_repository(db)
    assert enqueue_due(db, commits_quiet=0, users_quiet=0) == [(number,)]


def test_a_held_repository_is_left_alone_and_enqueued_once_its_lease_expires(db: Database) -> None:
    number = add_repository(db)
    lease.grab(db, number, seconds=3600)
    age(db, number, 3600)
    assert enqueue_due(db) == []
    expire_lease(db, number)
    assert enqueue_due(db) == [(number,)]


def test_a_delayed_repository_is_left_alone_until_its_time(db: Database) -> None:
    number = add_repository(db)
    with db.write() as session:
        session.run("UPDATE repository SET not_before = {now} + 100 WHERE id = :id", id=number)
    age(db, number, 3600)
    assert enqueue_due(db) == []
    with db.write() as session:
        session.run("UPDATE repository SET not_before = {now} - 1 WHERE id = :id", id=number)
    assert enqueue_due(db) == [(number,)]


def test_unclaimed_batches_are_enqueued(db: Database, resolving: int) -> None:
    with db.write() as session:
        batches.claim(session, resolving, 1, "another")
    age(db, resolving, 60)
    assert enqueue_due(db) == [(resolving, 1, 0), (resolving, 1, 2)]


def test_a_repository_without_unprocessed_emails_is_enqueued_to_be_completed(db: Database) -> None:
    number = add_repository(db, state="users_processing", generation=3)
    age(db, number, 60)
    assert enqueue_due(db) == [(number, 3, 0)]


def test_finished_and_local_repositories_are_never_enqueued(db: Database) -> None:
    for state in ("completed", "failed"):
        add_repository(db, key=state, state=state, enqueued_at=None)
    add_repository(db, key="file:///x", host="", enqueued_at=None)
    assert enqueue_due(db, commits_quiet=0, users_quiet=0) == []


def test_a_locked_row_delays_no_other(postgresql: Database) -> None:
    locked, free = (add_repository(postgresql, key=key, enqueued_at=None) for key in ("locked", "free"))
    with postgresql.write() as session:
        queries.lock(session, locked)
        assert enqueue_due(postgresql) == [(free,)]
    assert enqueue_due(postgresql) == [(locked,)]


def test_many_reconcilers_enqueue_once(db: Database) -> None:
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
    columns = (
        "repository_id",
        "ordinal",
        "email",
        "name",
        "mailmap_email",
        "mailmap_name",
        "mailmap_identity",
        "sample_sha",
    )
    rows = ((number, n, *[f"p{n:04}@example.org"] * 5, "") for n in range(1000))
    with db.write() as session:
        session.copy("commit_data", columns, rows)
        batches.assign(session, number, 0)
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


def test_a_giant_has_a_few_batches_enqueued_and_each_is_followed_by_another(db: Database, giant: int) -> None:
    queues = RecordingQueues()
    assert reconciler.enqueue_next(db, queues, giant) == "users_processing"
    assert queues.enqueued == [(giant, 1, batch) for batch in range(8)]
    finish(db, giant, 0, 3)
    assert following(db, giant, 0) == [(giant, 1, 8)]
    assert following(db, giant, 3) == [(giant, 1, 11)]
    finish(db, giant, 8)
    assert following(db, giant, 0) == [(giant, 1, 16)]
    assert following(db, giant, 16) == []


def test_no_batch_follows_while_the_repository_is_not_due(db: Database, giant: int) -> None:
    assert following(db, giant, 0, generation=2) == []
    with db.write() as session:
        session.run("UPDATE repository SET not_before = {now} + 60")
    assert following(db, giant, 0) == []
    with db.write() as session:
        session.run("UPDATE repository SET not_before = NULL, state = 'completed'")
    assert following(db, giant, 0) == []


def test_all_batches_follow_one_another(db: Database, giant: int) -> None:
    queues = RecordingQueues()
    reconciler.enqueue_next(db, queues, giant)
    for done, (_, _, batch) in enumerate(queues.enqueued, start=1):
        finish(db, giant, batch)
        reconciler.enqueue_following_batch(db, queues, giant, 1, batch)
        assert len(queues.enqueued) - done <= 8
    assert sorted(batch for _, _, batch in queues.enqueued) == list(range(20))
