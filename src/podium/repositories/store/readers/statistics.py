"""Counts for operators. What grows with the installation is counted on indexes."""

from __future__ import annotations

import dataclasses

from podium.repositories.model import State, WaitingCode
from podium.repositories.store.queries import AT_AN_ADDRESS
from podium.storage.session import Row, Session

# The start of a repository's state. `updated_at` also changes with progress.
_SINCE = {
    State.PENDING: "updated_at",
    State.COMMITS_PROCESSING: "last_attempt",
    State.USERS_PROCESSING: "commits_processed_at",
    State.FAILED: "updated_at",
}

_OLDEST = """
SELECT id, url, {since} AS since FROM repository WHERE state = '{state}' AND host <> ''
ORDER BY {since} LIMIT 1
"""

# There may be millions, so this follows the order of the index.
OLDEST_COMPLETED = """
SELECT id, url, last_processed_at AS since FROM repository
WHERE state = 'completed' AND enqueued_at > 0 AND host <> '' ORDER BY state, enqueued_at LIMIT 1
"""

# The board of a branch or tag is work until it is completed, and then no second repository.
COUNTS = f"""
SELECT state, count(*) AS n FROM repository WHERE {AT_AN_ADDRESS} AND parent_key IS NULL GROUP BY state
UNION ALL
SELECT state, count(*) FROM repository
WHERE parent_key IS NOT NULL AND host <> '' AND state <> 'completed' GROUP BY state
"""


def counts_by_state(session: Session) -> dict[State, int]:
    counts = dict.fromkeys(State, 0)
    for row in session.all(COUNTS):
        counts[State(row["state"])] += int(row["n"])
    return counts


@dataclasses.dataclass(frozen=True, slots=True)
class OldestOfState:
    """``since``: when it came into its state; None: unknown."""

    id: int
    url: str
    since: float | None


def oldest(session: Session, state: State) -> OldestOfState | None:
    sql = OLDEST_COMPLETED if state == State.COMPLETED else _OLDEST.format(state=state, since=_SINCE[state])
    row = session.one(sql)
    return None if row is None else OldestOfState(**row)


@dataclasses.dataclass(frozen=True, slots=True)
class UnfinishedCounts:
    """Unfinished repositories ``at`` a time, now: with a lease, with an expired one, and ``waiting`` for a time."""

    held: int
    expired: int
    waiting: int
    at: float


def unfinished(session: Session) -> UnfinishedCounts:
    (row,) = session.all(
        """SELECT
            count(*) FILTER (WHERE lease_until >= {now}) AS held,
            count(*) FILTER (WHERE lease_holder IS NOT NULL AND lease_until < {now}) AS expired,
            count(*) FILTER (WHERE not_before > {now}) AS waiting,
            {now} AS at
        FROM repository WHERE state IN ('pending', 'commits_processing', 'users_processing') AND host <> ''"""
    )
    return UnfinishedCounts(**row)


def emails_left(session: Session) -> tuple[int, int]:
    """Return the number of unprocessed batches and e-mails."""
    # All rows of one e-mail are in one batch.
    (row,) = session.all(
        """SELECT count(*) AS batches, coalesce(sum(emails), 0) AS emails FROM (
            SELECT count(DISTINCT email) AS emails
            FROM commit_data
                JOIN repository ON repository.id = repository_id AND repository.count_id = commit_data.count_id
            WHERE NOT processed AND state = 'users_processing' AND host <> '' GROUP BY repository_id, batch
        ) AS batch"""
    )
    return row["batches"], int(row["emails"])


def latest_failures(session: Session, limit: int) -> list[Row]:
    """Return ``id``, ``url``, ``error`` and ``since``."""
    return session.all(
        """SELECT id, url, error, updated_at AS since FROM repository WHERE state = 'failed' AND host <> ''
        ORDER BY updated_at DESC, id LIMIT :limit""",
        limit=limit,
    )


def delayed(session: Session, limit: int) -> list[Row]:
    """Return ``id``, ``url``, ``reason``, ``next_try_at`` and ``has_board`` of repositories that wait for a retry."""
    return session.all(
        """SELECT id, url, coalesce(waiting_reason, refresh_error, waiting_code) AS reason, not_before AS next_try_at,
            commits_processed_at IS NOT NULL AS has_board
        FROM repository WHERE waiting_code IS NOT NULL ORDER BY host, id LIMIT :limit""",
        limit=limit,
    )


def hidden(session: Session, limit: int) -> list[Row]:
    """Return ``id``, ``url``, ``since`` and ``next_try_at`` of the repositories that were hidden last."""
    return session.all(
        f"""SELECT id, url, hidden_at AS since, not_before AS next_try_at FROM repository
        WHERE hidden_at IS NOT NULL AND {AT_AN_ADDRESS} ORDER BY hidden_at DESC, id LIMIT :limit""",
        limit=limit,
    )


def stalled(
    session: Session, *, expired_after: float, not_enqueued_after: float, no_progress_after: float, limit: int
) -> list[Row]:
    """Return ``id``, ``url``, ``reason`` and ``seconds`` of stalled repositories, longest first.

    expired_after: seconds since a lease expired without a new holder.
    not_enqueued_after, no_progress_after: seconds for which a due repository was not enqueued, or had no progress.
    """
    return session.all(
        """SELECT id, url, reason, {now} - updated_at AS seconds FROM (
            SELECT id, url, updated_at, CASE
                WHEN lease_holder IS NOT NULL AND lease_until < {now} - :expired_after THEN 'expired_lease'
                WHEN lease_holder IS NULL AND coalesce(not_before, 0) < {now} - :expired_after
                    AND coalesce(enqueued_at, 0) < {now} - :not_enqueued_after
                    AND updated_at < {now} - :expired_after THEN 'never_enqueued'
                WHEN coalesce(not_before, 0) < {now} AND updated_at < {now} - :no_progress_after
                    AND (lease_until >= {now} OR state = 'users_processing') THEN 'no_progress'
            END AS reason
            FROM repository WHERE state IN ('pending', 'commits_processing', 'users_processing') AND host <> ''
        ) AS unfinished
        WHERE reason IS NOT NULL ORDER BY updated_at, id LIMIT :limit""",
        expired_after=expired_after,
        not_enqueued_after=not_enqueued_after,
        no_progress_after=no_progress_after,
        limit=limit,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class FailuresOfCode:
    """``since``: when the latest of them failed."""

    code: str
    count: int
    since: float


def failures_by_code(session: Session) -> list[FailuresOfCode]:
    """Count failed repositories by error code, the most frequent first."""
    rows = session.all(
        """SELECT coalesce(error_code, '') AS code, count(*) AS count, max(updated_at) AS since FROM repository
        WHERE state = 'failed' AND host <> '' GROUP BY coalesce(error_code, '') ORDER BY count(*) DESC, 1"""
    )
    return [FailuresOfCode(**row) for row in rows]


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """A repository that failed; ``since``: when."""

    id: int
    url: str
    revision: str | None
    error: str
    since: float


def failures_of_code(session: Session, code: str, *, limit: int, offset: int) -> list[Failure]:
    """Return the repositories that failed with this code, the latest first."""
    rows = session.all(
        """SELECT id, url, revision, error, updated_at AS since FROM repository
        WHERE state = 'failed' AND host <> '' AND coalesce(error_code, '') = :code
        ORDER BY updated_at DESC, id LIMIT :limit OFFSET :offset""",
        code=code,
        limit=limit,
        offset=offset,
    )
    return [Failure(**row) for row in rows]


@dataclasses.dataclass(frozen=True, slots=True)
class UnfinishedRepository:
    """since: of its last change. not_before: when it is tried again; None: now. held: by a commit worker."""

    id: int
    url: str
    revision: str | None
    state: State
    waiting_reason: str | None
    is_scheduled: bool
    since: float
    attempts: int
    crashes: int
    is_paused: bool
    not_before: float | None
    held: bool


def unfinished_repositories(session: Session, *, limit: int, offset: int) -> list[UnfinishedRepository]:
    """Return unfinished repositories for operators: those that workers hold, then in the order of their turns."""
    rows = session.all(
        f"""SELECT id, url, revision, state, waiting_reason, is_scheduled, updated_at AS since, attempts, crashes,
            coalesce(waiting_code, '') = '{WaitingCode.HOST_IS_PAUSED}' AS is_paused,
            CASE WHEN not_before > {{now}} AND coalesce(waiting_code, '') <> '{WaitingCode.HOST_IS_PAUSED}'
                THEN not_before END AS not_before,
            lease_until >= {{now}} AS held
        FROM repository WHERE state IN ('pending', 'commits_processing', 'users_processing') AND host <> ''
        ORDER BY CASE WHEN lease_until >= {{now}} THEN 0 WHEN state = 'users_processing' THEN 1 ELSE 2 END,
            virtual_start, id LIMIT :limit OFFSET :offset""",
        limit=limit,
        offset=offset,
    )
    flags = ("is_scheduled", "is_paused", "held")
    return [
        UnfinishedRepository(**{**row, "state": State(row["state"])} | {name: bool(row[name]) for name in flags})
        for row in rows
    ]


@dataclasses.dataclass(frozen=True, slots=True)
class NamedRepository:
    id: int
    url: str
    revision: str | None


def for_operator(session: Session, repository_id: int) -> NamedRepository | None:
    """Return a repository at an address, also a hidden one."""
    row = session.one(
        "SELECT id, url, revision FROM repository WHERE id = :id AND host <> '' AND forgotten_at IS NULL",
        id=repository_id,
    )
    return None if row is None else NamedRepository(**row)
