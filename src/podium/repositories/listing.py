"""Reading repositories: find one, list them, and describe one to a user."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from podium.errors import BadRule, NotFound
from podium.repositories.model import STATES
from podium.storage.session import Row, Session
from podium.timeutil import iso_time

# Repositories at an address: a path of this machine (host '') belongs to the command line.
_AT_AN_ADDRESS = "host <> ''"


def find(session: Session, key: str) -> Row | None:
    """The repository of that identity (:attr:`Address.key`), or None."""
    return session.one("SELECT * FROM repository WHERE key = :key", key=key)


def get(session: Session, repository_id: int) -> Row:
    """The repository of that number.

    Raises:
        NotFound: there is none.
    """
    row = session.one(f"SELECT * FROM repository WHERE id = :id AND {_AT_AN_ADDRESS}", id=repository_id)
    if row is None:
        raise NotFound(f"No repository has the number {repository_id}: GET /repositories lists them.")
    return row


# From so many on, a count is kept for so many times as long as it took: it never takes more than a twentieth of the
# database's time, and few ask for the whole number then.
MANY = 10_000
SHARE = 20.0


class Totals:
    """How many repositories there are. It grows with them to count, so a large number is not counted again at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str | None, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def of(self, session: Session, state: str | None) -> int:
        """Those in ``state``, or (None) all."""
        with self._lock:
            total, until = self._kept.get(state, (0, 0.0))
            started = self._clock()
            if total < MANY or started >= until:
                total = _count(session, state)
                ended = self._clock()
                self._kept[state] = total, ended + SHARE * (ended - started)
            return total


def _count(session: Session, state: str | None) -> int:
    chosen = {"state": state} if state else {}
    total: int = session.value(f"SELECT count(*) FROM repository WHERE {_where(state)}", **chosen)
    return total


def _where(state: str | None) -> str:
    return _AT_AN_ADDRESS + (" AND state = :state" if state else "")


def listing(session: Session, totals: Totals, *, state: str | None, limit: int, offset: int) -> tuple[list[Row], int]:
    """Repositories, newest first, and how many there are in all.

    Raises:
        BadRule: no such state.
    """
    if state is not None and state not in STATES:
        raise BadRule(f"There is no state {state!r}: use one of {', '.join(STATES)}.")
    chosen = {"state": state} if state else {}
    rows = session.all(
        f"SELECT * FROM repository WHERE {_where(state)} ORDER BY created_at DESC, id DESC LIMIT :limit OFFSET :offset",
        limit=limit,
        offset=offset,
        **chosen,
    )
    return rows, totals.of(session, state)


def stage_of(row: Row) -> str | None:
    """Which worker has the repository: ``commits``, ``users``, or None when neither."""
    match row["state"]:
        case "pending" | "commits_processing":
            return "commits"
        case "users_processing":
            return "users"
    return None


def describe(row: Row) -> dict[str, Any]:
    """A repository as the API tells of it."""
    return {
        "id": row["id"],
        "url": row["url"],
        "state": row["state"],
        "progress": _progress(row),
        "totalCommits": row["total_commits"],
        "uniqueContributors": row["unique_contributors"],
        "lastProcessedAt": iso_time(row["last_processed_at"]),
        "createdAt": iso_time(row["created_at"]),
        "updatedAt": iso_time(row["updated_at"]),
        "error": row["error"],
    }


def _progress(row: Row) -> dict[str, Any] | None:
    stage = stage_of(row)
    if stage is None:
        return None
    progress: dict[str, Any] = json.loads(row["progress"]) if row["progress"] else {}
    # What an earlier stage or attempt left behind says nothing about this one.
    return progress if progress.get("stage") == stage else {"stage": stage}
