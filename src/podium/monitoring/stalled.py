"""Unfinished repositories that nobody gets any further, and in what way. They should not exist."""

from __future__ import annotations

import dataclasses
from typing import Literal

from podium.jobs.reconciler import LATEST
from podium.storage.session import Session

Way = Literal["abandoned", "unheard", "still"]

# Seconds that a lease may have run out before it is strange that nobody has taken it up: reconcilers look every few.
ABANDONED = 60.0
# Whatever is due is rung at least every LATEST seconds.
UNHEARD = 1.5 * LATEST

SHOWN = 10

_STUCK = """
SELECT id, url, way, {now} - updated_at AS seconds FROM (
    SELECT id, url, updated_at, CASE
        WHEN lease_holder IS NOT NULL AND lease_until < {now} - :abandoned THEN 'abandoned'
        WHEN lease_holder IS NULL AND coalesce(not_before, 0) < {now} - :abandoned
            AND coalesce(enqueued_at, 0) < {now} - :unheard AND updated_at < {now} - :abandoned THEN 'unheard'
        WHEN coalesce(not_before, 0) < {now} AND updated_at < {now} - :still
            AND (lease_until >= {now} OR state = 'users_processing') THEN 'still'
    END AS way
    FROM repository WHERE state IN ('pending', 'commits_processing', 'users_processing') AND host <> ''
) AS unfinished
WHERE way IS NOT NULL ORDER BY updated_at, id LIMIT :shown
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Stuck:
    """A repository that has not moved for ``seconds``.

    way: ``abandoned``, its worker vanished and no other has followed; ``unheard``, it is due and nobody rings;
    ``still``, a worker holds it and makes no progress.
    """

    id: int
    url: str
    way: Way
    seconds: float


def find(session: Session, *, still: float) -> list[Stuck]:
    """The :data:`SHOWN` that have not moved for longest; ``still``: seconds without progress that are too many."""
    rows = session.all(_STUCK, abandoned=ABANDONED, unheard=UNHEARD, still=still, shown=SHOWN)
    return [Stuck(**row) for row in rows]
