"""What is due is found however many repositories wait."""

from __future__ import annotations

import pytest

from podium.repositories.store import schedule
from podium.storage.session import Database
from tests.support.bulk_rows import settle
from tests.support.plans import Explained

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
        found = schedule.take_due(session, limit=20, **quiet)
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
