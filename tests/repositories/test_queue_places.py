"""The place in the queue, as the fair queue would serve it."""

from __future__ import annotations

import time

from podium.jobs import lease
from podium.repositories.queue_places import QueuePlace, QueuePlaces
from podium.storage.session import Database
from tests.support.rows import add_repository, repository


def waiting(db: Database, name: str, start: float, **columns: object) -> int:
    number = add_repository(db, f"github.com/o/{name}")
    changes = {"virtual_start": start, **columns}
    with db.write() as session:
        session.run(
            f"UPDATE repository SET {', '.join(f'{column} = :{column}' for column in changes)} WHERE id = :id",
            id=number,
            **changes,
        )
    return number


def test_places_are_those_of_the_virtual_starts(db: Database) -> None:
    second, third = waiting(db, "b", 7.0), waiting(db, "c", 8.0)
    first = waiting(db, "a", 6.0)
    same = waiting(db, "d", 6.0)
    branch = waiting(db, "e", 6.0, parent_key="github.com/o/x")
    slow = waiting(db, "slow", 1.0, is_slow=True)
    held, done = waiting(db, "held", 0.0), waiting(db, "done", 0.0, state="completed")
    lease.grab(db, held, seconds=60)
    places = QueuePlaces(db)
    found = {number: places.of(repository(db, number)) for number in (first, same, branch, second, third)}
    # A new submission comes after those with the first start, and may come before the others.
    assert list(found.values()) == [
        QueuePlace(1, 5, is_about=False),
        QueuePlace(2, 5, is_about=False),
        # It may have to wait for another branch.
        QueuePlace(3, 5, is_about=True),
        QueuePlace(4, 5, is_about=True),
        QueuePlace(5, 5, is_about=True),
    ]
    assert [places.of(repository(db, number)) for number in (slow, held, done)] == [None] * 3


def test_what_waits_for_a_time_of_its_own_has_no_place_and_may_overtake(db: Database) -> None:
    later = waiting(db, "later", 5.0, not_before=time.time() + 600)
    first = waiting(db, "first", 6.0)
    places = QueuePlaces(db)
    assert places.of(repository(db, later)) is None
    assert places.of(repository(db, first)) == QueuePlace(1, 1, is_about=True)


def test_places_are_read_once_a_second(db: Database) -> None:
    now = [0.0]
    places = QueuePlaces(db, lambda: now[0])
    first = waiting(db, "a", 1.0)
    row = repository(db, first)
    assert places.of(row) == QueuePlace(1, 1, is_about=False)
    waiting(db, "b", 1.0)
    assert places.of(row) == QueuePlace(1, 1, is_about=False)
    now[0] = 1.1
    assert places.of(row) == QueuePlace(1, 2, is_about=False)
