"""The lease on a repository and its fence: one holder at a time, whenever it dies or wakes up."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from podium.errors import LeaseLost, StorageError
from podium.jobs import lease
from podium.repositories.model import Repository
from podium.storage import migrate
from podium.storage.postgresql.postgres import PostgresDatabase
from podium.storage.session import Database, Session
from tests.support.postgres import running_postgres
from tests.support.rows import add_repository, enqueue_due, expire_lease, leased, repository
from tests.support.server import wait_until


def test_a_lease_has_one_holder_at_a_time(db: Database, repository_id: int) -> None:
    with leased(db, repository_id) as first:
        assert lease.grab(db, repository_id, seconds=30) is None
    with leased(db, repository_id) as second:
        assert second.repository.lease_token == first.repository.lease_token + 1


def test_of_many_workers_that_take_a_lease_at_once_one_holds_it(db: Database, repository_id: int) -> None:
    together = threading.Barrier(8)

    def take(_: int) -> Repository | None:
        together.wait()
        return lease.grab(db, repository_id, seconds=30)

    with ThreadPoolExecutor(8) as pool:
        assert sum(taken is not None for taken in pool.map(take, range(8))) == 1


def test_a_holder_whose_lease_expired_can_save_nothing(db: Database, repository_id: int) -> None:
    with leased(db, repository_id) as late:
        expire_lease(db, repository_id)
        with leased(db, repository_id) as successor:
            assert successor.repository.crashes == 1
            with pytest.raises(LeaseLost), late.fence() as session:
                session.run("UPDATE repository SET head = 'late' WHERE id = :id", id=repository_id)
            assert late.lost.is_set()
            with successor.fence() as session:
                session.run("UPDATE repository SET head = 'right' WHERE id = :id", id=repository_id)
    assert repository(db, repository_id).head == "right"


def test_a_late_holder_does_not_release_its_successors_lease(db: Database, repository_id: int) -> None:
    late = leased(db, repository_id)
    late.__enter__()
    expire_lease(db, repository_id)
    with leased(db, repository_id) as successor:
        late.__exit__(None, None, None)
        assert repository(db, repository_id).lease_holder is not None
        with successor.fence():
            pass


def test_a_lease_is_renewed_while_its_holder_works(db: Database, repository_id: int) -> None:
    with leased(db, repository_id, seconds=0.4):
        first = repository(db, repository_id).lease_until or 0.0
        waiting = threading.Event()
        for _ in range(250):
            if (repository(db, repository_id).lease_until or 0.0) > first + 0.15:
                break
            waiting.wait(0.02)
        else:
            pytest.fail("the lease was never renewed")
        assert lease.grab(db, repository_id, seconds=30) is None


def test_the_loss_of_a_lease_is_noticed_at_the_next_renewal(db: Database, repository_id: int) -> None:
    with leased(db, repository_id, seconds=0.4) as held:
        with db.write() as session:
            session.run("UPDATE repository SET lease_token = lease_token + 1 WHERE id = :id", id=repository_id)
        assert held.lost.wait(10)


def test_progress_of_a_holder_that_lost_its_lease_is_not_shown(db: Database, repository_id: int) -> None:
    with leased(db, repository_id) as held:
        lease.save_progress(db, held.repository, "mine")
        with db.write() as session:
            session.run("UPDATE repository SET lease_token = lease_token + 1 WHERE id = :id", id=repository_id)
        lease.save_progress(db, held.repository, "late")
    assert repository(db, repository_id).progress == "mine"


def test_a_holder_that_saves_for_longer_than_its_lease_keeps_it(db: Database, repository_id: int) -> None:
    begun = threading.Event()

    def others() -> Repository | None:
        assert begun.wait(10)
        # Waits for the row (the database, with SQLite), and finds that the lease holds.
        return lease.grab(db, repository_id, seconds=30)

    with leased(db, repository_id, seconds=0.4) as held, ThreadPoolExecutor(1) as pool:
        grabbed = pool.submit(others)
        with held.fence() as session:
            begun.set()
            session.run("UPDATE repository SET head = 'mine' WHERE id = :id", id=repository_id)
            threading.Event().wait(0.6)
        assert grabbed.result() is None
    assert repository(db, repository_id).crashes == 0


def test_a_child_process_continues_its_parents_lease_and_no_other(db: Database, repository_id: int) -> None:
    row = lease.grab(db, repository_id, seconds=30)
    assert row is not None
    adopted = lease.adopt(db, repository_id, row.lease_token, seconds=60)
    assert adopted is not None
    assert (adopted.lease_until or 0.0) > (row.lease_until or 0.0)
    assert lease.adopt(db, repository_id, row.lease_token - 1, seconds=60) is None
    lease.give_back(db, row)
    assert lease.adopt(db, repository_id, row.lease_token, seconds=60) is None


class AwayDatabase:
    """A database that can be away."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.is_away = True

    def write(self) -> contextlib.AbstractContextManager[Session]:
        if self.is_away:
            raise StorageError("The database is away.")
        return self._db.write()


@pytest.mark.parametrize("is_taken_over", [False, True])
def test_a_lease_that_cannot_be_given_back_now_is_no_crash(
    db: Database, repository_id: int, monkeypatch: pytest.MonkeyPatch, *, is_taken_over: bool
) -> None:
    monkeypatch.setattr(lease, "_RETRY_SECONDS", 0.01)
    row = lease.grab(db, repository_id, seconds=30)
    assert row is not None
    away: Any = AwayDatabase(db)
    lease.give_back(away, row)
    assert repository(db, repository_id).lease_holder == row.lease_holder
    if is_taken_over:
        expire_lease(db, repository_id)
        successor = lease.grab(db, repository_id, seconds=30)
        assert successor is not None
        assert successor.crashes == 1
    away.is_away = False
    wait_until(
        lambda: (
            repository(db, repository_id).crashes == 0
            and (repository(db, repository_id).lease_holder is None) == (not is_taken_over)
        ),
        "the lease to be given back",
    )


def test_a_lease_that_expired_while_the_database_was_away_is_left_to_its_holder(tmp_path: Path) -> None:
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
            assert enqueue_due(db, commits_quiet=0) == []
            assert lease.adopt(db, number, row.lease_token, seconds=30) is not None
            with db.write() as session:
                session.run("UPDATE repository SET lease_until = {up_since} WHERE id = :id", id=number)
            taken = lease.grab(db, number, seconds=30)
            assert taken is not None
            assert taken.crashes == 1


def test_a_lease_is_renewed_before_its_holder_counts_and_stays_taken(db: Database, repository_id: int) -> None:
    row = lease.grab(db, repository_id, seconds=0.4)
    assert row is not None
    before = row.lease_until or 0.0
    with lease.renewing(db, row, seconds=0.4):
        wait_until(lambda: (repository(db, repository_id).lease_until or 0.0) > before, "a renewal")
    assert repository(db, repository_id).lease_holder == row.lease_holder
