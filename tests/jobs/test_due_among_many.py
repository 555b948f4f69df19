"""What is due is found however many repositories wait."""

from __future__ import annotations

import pytest

from podium.repositories.store.queue import due_work, leases
from podium.storage.session import Database, Session
from tests.support.bulk_rows import settle
from tests.support.plans import Explained
from tests.support.rows import add_repository

FEW, MANY = 400, 1600


def fill(db: Database, number: int, *, enqueued: str, not_before: str = "NULL") -> None:
    with db.write() as session:
        session.run(
            f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number})
            INSERT INTO repository (key, url, host, owner, name, state, virtual_start, enqueued_at, not_before,
                created_at, updated_at)
            SELECT '{number}/' || i, 'https://{number}/' || i, 'h', 'o', 'r', 'pending', i, {enqueued},
                {not_before}, {{now}} - 9999, {{now}} - 9999 FROM n"""
        )
    settle(db)


def work_to_find(db: Database, **quiet: float) -> tuple[int, int]:
    """How many repositories one pass takes, and the work of its statements."""
    explained = Explained(db)
    with explained.write() as session:
        found = due_work.take_due(session, limit=20, **quiet)
    return len(found), sum(statement.plan.work for statement in explained.statements)


@pytest.mark.parametrize(
    ("waiting", "quiet", "found"),
    [
        ({"enqueued": "{now}"}, {}, 1),
        ({"enqueued": "{now}", "not_before": "{now} + 99"}, {"commits_quiet": 10}, 1),
        ({"enqueued": "{now} - 60"}, {"commits_quiet": 10}, 21),
        ({"enqueued": "NULL"}, {"commits_quiet": 10}, 20),
    ],
)
def test_the_work_does_not_grow_with_what_waits(
    db: Database, waiting: dict[str, str], quiet: dict[str, float], found: int
) -> None:
    measured = []
    for number in (FEW, MANY):
        with db.write() as session:
            session.run("DELETE FROM repository")
        fill(db, number, **waiting)
        fill(db, 1, enqueued="NULL", not_before="{now} - 1")
        measured.append(work_to_find(db, **quiet))
    (few, before), (many, after) = measured
    assert few == many == found
    assert after <= before * 1.5 + 20


def take_next(session: Session) -> str | None:
    taken = leases.take_next(session, holder="", seconds=30, worker="w")
    return None if taken is None else taken.key


@pytest.mark.parametrize("past", ["NULL", "{now} - 1"])
def test_the_work_to_take_one_does_not_grow_with_those_that_wait_for_their_time(db: Database, past: str) -> None:
    """All of them are before it in the order of the queue."""
    measured = []
    for number in (FEW, MANY):
        with db.write() as session:
            session.run("DELETE FROM repository")
        fill(db, number, enqueued="{now}", not_before="{now} + 99")
        key = "github.com/o/due"
        add_repository(db, key)
        with db.write() as session:
            session.run(f"UPDATE repository SET virtual_start = 99999, not_before = {past} WHERE key = :key", key=key)
        settle(db)
        explained = Explained(db)
        with explained.write() as session:
            assert due_work.next_virtual_start(session, "a") == 99999
            assert take_next(session) == key
        measured.append(sum(statement.plan.work for statement in explained.statements))
    before, after = measured
    assert after <= before * 1.5 + 20


def test_the_first_of_those_that_are_due_is_taken_whether_or_not_it_had_to_wait(db: Database) -> None:
    for key, start, not_before in (
        ("parked", 1, "{now} + 99"),
        ("waited", 2, "{now} - 9"),
        ("first", 3, "NULL"),
        ("waited longer", 4, "{now} - 99"),
        ("last", 5, "NULL"),
    ):
        number = add_repository(db, key)
        with db.write() as session:
            session.run(
                f"UPDATE repository SET virtual_start = :start, not_before = {not_before} WHERE id = :id",
                start=start,
                id=number,
            )
    with db.write() as session:
        assert due_work.next_virtual_start(session, "a") == 2
        taken = [take_next(session) for _ in range(5)]
    assert taken == ["waited", "first", "waited longer", "last", None]


def test_what_is_enqueued_after_its_wait_waits_for_nothing_more(db: Database) -> None:
    """So few have a time in the past, which :func:`podium.repositories.store.queue.leases.take_next` looks through."""
    add_repository(db, "github.com/o/a")
    with db.write() as session:
        session.run("UPDATE repository SET enqueued_at = {now} - 9, not_before = {now} - 1")
        assert [one.not_before for one in due_work.take_due(session, limit=9)] == [None]
