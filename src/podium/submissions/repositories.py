"""Reading repositories: find one, list them, and describe one to a user."""

from __future__ import annotations

import json
from typing import Any

from podium.errors import BadRule, NotFound
from podium.jobs.queues import STATES
from podium.storage.session import Row, Session
from podium.storage.times import iso

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


def listing(session: Session, *, state: str | None, limit: int, offset: int) -> tuple[list[Row], int]:
    """Repositories, newest first, and how many there are in all.

    Raises:
        BadRule: no such state.
    """
    if state is not None and state not in STATES:
        raise BadRule(f"There is no state {state!r}: use one of {', '.join(STATES)}.")
    where = _AT_AN_ADDRESS + (" AND state = :state" if state else "")
    chosen = {"state": state} if state else {}
    rows = session.all(
        f"SELECT * FROM repository WHERE {where} ORDER BY created_at DESC, id DESC LIMIT :limit OFFSET :offset",
        limit=limit,
        offset=offset,
        **chosen,
    )
    return rows, session.value(f"SELECT count(*) FROM repository WHERE {where}", **chosen)


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
        "lastProcessedAt": iso(row["last_processed_at"]),
        "createdAt": iso(row["created_at"]),
        "updatedAt": iso(row["updated_at"]),
        "error": row["error"],
    }


def _progress(row: Row) -> dict[str, Any] | None:
    stage = stage_of(row)
    if stage is None:
        return None
    progress: dict[str, Any] = json.loads(row["progress"]) if row["progress"] else {}
    # What an earlier stage or attempt left behind says nothing about this one.
    return progress if progress.get("stage") == stage else {"stage": stage}
