"""What waits to be counted or checked, and why, for operators."""

from __future__ import annotations

import dataclasses

from podium.repositories.store.queries import FREE
from podium.repositories.store.queue.host_limits import HAS_SLOT
from podium.repositories.store.queue.pauses import IS_PAUSED
from podium.storage import due_times
from podium.storage.session import Session

_QUEUED = f"{due_times.QUEUED_NOW} AND {FREE}"


@dataclasses.dataclass(frozen=True, slots=True)
class QueuedCounts:
    """people, schedule: repositories that wait to be counted, by who asked for it."""

    people: int
    schedule: int


def queued(session: Session) -> QueuedCounts:
    """Count the repositories that wait to be counted, and for no time of their own."""
    found = {
        bool(is_scheduled): number
        for is_scheduled, number in session.tuples(
            f"SELECT is_scheduled, count(*) FROM repository WHERE {_QUEUED} GROUP BY is_scheduled"
        )
    }
    return QueuedCounts(found.get(False, 0), found.get(True, 0))


@dataclasses.dataclass(frozen=True, slots=True)
class FirstQueued:
    """``has_slot``: fewer of its host are counted than may be at once."""

    id: int
    url: str
    host: str
    is_scheduled: bool
    has_slot: bool


def first_queued(session: Session, limit: int, *, per_host: int) -> list[FirstQueued]:
    """Return the next repositories that are counted.

    per_host: see :mod:`podium.repositories.store.queue.host_limits`.
    """
    rows = session.all(
        f"""SELECT id, url, host, is_scheduled, {HAS_SLOT} AS has_slot FROM repository WHERE {_QUEUED}
        ORDER BY virtual_start, id LIMIT :limit""",
        limit=limit,
        per_host=per_host,
    )
    return [
        FirstQueued(row["id"], row["url"], row["host"], bool(row["is_scheduled"]), bool(row["has_slot"]))
        for row in rows
    ]


def due_checks(session: Session) -> tuple[int, float]:
    """Return how many checks of hosts are due, and for how many seconds the first of them; none that is paused."""
    [(number, seconds)] = session.tuples(
        f"""SELECT count(*), {{now}} - min(check_at) FROM repository
        WHERE check_at <= {{now}} AND NOT {IS_PAUSED} AND NOT EXISTS (SELECT 1 FROM pause WHERE kind = 'schedule')"""
    )
    return number, max(0.0, seconds or 0.0)


def paused(session: Session) -> dict[str, tuple[int, float]]:
    """Return, by kind, how many pauses there are, and for how many seconds the first of them has lasted."""
    rows = session.tuples("SELECT kind, count(*), {now} - min(at) FROM pause GROUP BY kind")
    return {kind: (number, max(0.0, seconds)) for kind, number, seconds in rows}
