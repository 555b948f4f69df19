"""Batches of e-mails: numbered, claimed, finished; the last one completes the repository."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from podium.jobs import batches
from podium.repositories.store import queries, transitions
from podium.storage.session import Database
from tests.support.rows import add_people, add_repository, repository


def test_batches_hold_fifty_emails_those_with_most_commits_first(db: Database, resolving: int) -> None:
    with db.read() as session:
        rows = session.all("SELECT batch, email FROM commit_data WHERE repository_id = :id", id=resolving)
        assert batches.unclaimed(session, resolving) == [0, 1, 2]
    emails = {number: {row["email"] for row in rows if row["batch"] == number} for number in range(3)}
    assert [len(emails[number]) for number in range(3)] == [50, 50, 20]
    assert max(emails[0]) < min(emails[1])
    assert max(emails[1]) < min(emails[2])


def test_a_batch_that_is_enqueued_twice_is_claimed_once(db: Database, resolving: int) -> None:
    with db.write() as session:
        rows, _ = batches.claim(session, resolving, 0, "first")
        assert len(rows) == 51
    with db.write() as session:
        assert batches.claim(session, resolving, 0, "second") == ([], False)
        assert batches.unclaimed(session, resolving) == [1, 2]


def test_an_expired_claim_passes_on_and_can_finish_nothing(db: Database, resolving: int) -> None:
    with db.write() as session:
        batches.claim(session, resolving, 2, "dead")
        session.run("UPDATE commit_data SET claim_until = {now} - 1 WHERE claim_token = 'dead'")
    with db.write() as session:
        rows, holder_died = batches.claim(session, resolving, 2, "heir")
        assert (len(rows), holder_died) == (20, True)
        assert batches.finish(session, resolving, 2, "dead") == 0
        assert batches.finish(session, resolving, 2, "heir") == 20


def test_only_the_last_batch_completes_the_repository(db: Database, resolving: int) -> None:
    for number, expected in ((0, False), (2, False), (1, True)):
        with db.write() as session:
            batches.claim(session, resolving, number, "me")
            batches.finish(session, resolving, number, "me")
            assert transitions.complete(session, resolving) is expected
    row = repository(db, resolving)
    assert row.state == "completed"
    assert row.last_processed_at is not None


def test_last_batches_that_end_at_the_same_moment_complete_once(db: Database) -> None:
    # Without the lock most attempts go wrong.
    for attempt in range(10):
        number = add_repository(db, key=f"r{attempt}", state="users_processing", generation=1)
        add_people(db, number, {f"p{n}@example.org": 1 for n in range(51)})
        with db.write() as session:
            batches.assign(session, number, 0)
        together = threading.Barrier(2)

        def work(batch: int, number: int = number, together: threading.Barrier = together) -> bool:
            with db.write() as session:
                batches.claim(session, number, batch, f"worker-{batch}")
            together.wait()
            with db.write() as session:
                queries.lock(session, number)
                batches.finish(session, number, batch, f"worker-{batch}")
                return transitions.complete(session, number)

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(work, range(2))) == [False, True]
        assert repository(db, number).state == "completed"
