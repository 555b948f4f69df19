"""What is due, and in which order."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from podium.repositories.fair_queue import HOOKS, NETWORK_SHARE, PATIENCE, SCHEDULED_FROM, first_not_full, wider_prefix
from podium.repositories.model import COLUMNS, Repository, State, WaitingCode
from podium.repositories.store.queries import FREE, NOT_HELD, OF_VALID_COUNT, SELECT
from podium.storage import due_times
from podium.storage.session import Row, Session
from podium.storage.transactions.steps import chunked

_WAITS = f"{due_times.QUEUED} AND {NOT_HELD}"

# Delayed and slow repositories, those being counted, and the schedule's do not affect the start of others.
_NEXT_START = f"""
SELECT MAX(virtual_start) AS virtual_start FROM (
    SELECT MIN(virtual_start) AS virtual_start FROM (
        SELECT MIN(virtual_start) AS virtual_start FROM repository WHERE {_WAITS} AND not_before IS NULL
            AND NOT is_slow AND virtual_start < {SCHEDULED_FROM}
        UNION ALL
        SELECT MIN(+virtual_start) FROM repository WHERE {_WAITS} AND not_before <= {{now}}
            AND NOT is_slow AND +virtual_start < {SCHEDULED_FROM}
    ) AS due
    UNION ALL
    SELECT MAX(virtual_start) + 1 FROM repository
    WHERE client_id = :client_id AND state IN ('pending', 'commits_processing')
) AS starts
"""

_FULL_STARTS = """
SELECT virtual_start FROM repository
WHERE state IN ('pending', 'commits_processing') AND virtual_start >= :start
    AND substr(client_id, 1, :length) = :prefix
GROUP BY virtual_start HAVING count(*) >= :share
"""


def next_virtual_start(session: Session, client_id: str | None) -> float:
    """Return a submission's virtual start (:mod:`podium.repositories.fair_queue`); the command line, None, is first.

    Transactions that ask for one run one at a time, or two could get the same.
    """
    session.value("SELECT {one_at_a_time}")
    start = float(session.value(_NEXT_START, client_id=client_id) or 0.0)
    prefix = wider_prefix(client_id)
    if prefix is None:
        return start
    rows = session.all(_FULL_STARTS, start=start, prefix=prefix, length=len(prefix), share=NETWORK_SHARE)
    return first_not_full(start, {row["virtual_start"] for row in rows})


_LONGEST_SCHEDULED = f"""
SELECT id FROM repository
WHERE {due_times.QUEUED_NOW} AND virtual_start >= {SCHEDULED_FROM}
    AND virtual_start < {SCHEDULED_FROM} + {{now}} - {PATIENCE} AND {NOT_HELD}
ORDER BY virtual_start, id LIMIT 1
"""


def longest_scheduled(session: Session) -> int | None:
    """What the schedule asked for longest ago, if that is too long."""
    found: int | None = session.value(_LONGEST_SCHEDULED)
    return found


def give_turn(session: Session, repository_id: int) -> None:
    """Give what the schedule asked for a turn among those of people."""
    session.run(
        f"""UPDATE repository SET virtual_start = :start
        WHERE id = :id AND state = 'pending' AND virtual_start >= {SCHEDULED_FROM}""",
        id=repository_id,
        start=next_virtual_start(session, None),
    )


_MOVE = f"""UPDATE repository SET %s, updated_at = {{now}}
WHERE id = :id AND host <> '' AND state IN ('pending', 'commits_processing') AND {FREE}"""


def move_to_front(session: Session, repository_id: int) -> bool:
    """Let a repository be the next that is counted; return False if it does not wait to be counted."""
    first = session.value(f"SELECT min(virtual_start) FROM repository WHERE {due_times.QUEUED_NOW}")
    start = 0.0 if first is None or first >= SCHEDULED_FROM else first - 1
    # The reconciler enqueues it soon.
    changes = """virtual_start = :start, not_before = NULL, waiting_code = NULL, waiting_reason = NULL,
        enqueued_at = NULL"""
    return bool(session.run(_MOVE % changes, id=repository_id, start=start))


def move_back(session: Session, repository_id: int) -> bool:
    """Let a repository wait behind all others, as what the schedule asks for does now; return as the above."""
    # What its client submits next does not wait behind it.
    changes = f"virtual_start = {SCHEDULED_FROM} + {{now}}, client_id = NULL"
    return bool(session.run(_MOVE % changes, id=repository_id))


_WAITING = f"""
SELECT count(*) AS repositories, coalesce(sum(coalesce(clone_bytes, :unknown_size)), 0) AS clone_bytes
FROM repository WHERE state IN ('pending', 'commits_processing') AND host <> '' AND NOT is_scheduled
    AND coalesce(client_id, '') NOT LIKE '{HOOKS}%'
    AND coalesce(waiting_code, '') NOT IN ('{WaitingCode.HOST_IS_DOWN}', '{WaitingCode.HOST_IS_PAUSED}')
"""


def waiting(session: Session, *, unknown_size: int) -> tuple[int, int]:
    """Return how many repositories wait or are being counted, and the bytes of their clones.

    Those whose host is down or paused do not count, nor what the schedule or pushes asked for.

    unknown_size: bytes that count for a repository that was never counted.
    """
    [row] = session.all(_WAITING, unknown_size=unknown_size)
    return row["repositories"], int(row["clone_bytes"])


@dataclasses.dataclass(frozen=True, slots=True)
class Waiting:
    """A repository that no worker counts, and that is not slow.

    is_due: it does not wait for a time of its own. is_free: it shares no mirror with another row.
    """

    id: int
    virtual_start: float
    is_due: bool
    is_free: bool


_WAITING_IN_ORDER = f"""
SELECT id, virtual_start, not_before IS NULL OR not_before <= {{now}}, parent_key IS NULL FROM repository
WHERE state IN ('pending', 'commits_processing') AND host <> '' AND NOT is_slow AND {FREE}
ORDER BY virtual_start, id LIMIT :limit
"""


def waiting_in_order(session: Session, *, limit: int) -> list[Waiting]:
    """Return the first ``limit`` repositories that wait to be counted, in the order of the queue."""
    return [
        Waiting(number, start, bool(is_due), bool(is_free))
        for number, start, is_due, is_free in session.tuples(_WAITING_IN_ORDER, limit=limit)
    ]


_IDS_PER_QUERY = 500
# Seconds of silence that no repository reaches: those that were enqueued already are not enqueued again.
_NEVER = 1e12


def _some(condition: str, order: str) -> str:
    # A locked row has a worker.
    return f"""SELECT id FROM (
        SELECT id FROM repository WHERE {due_times.UNFINISHED} AND {condition} AND {FREE}
            AND (not_before IS NULL OR not_before <= {{now}})
        ORDER BY {order}, id LIMIT :limit {{skip_locked}}
    ) AS chosen"""


def _quiet(state: State, seconds: str) -> str:
    return _some(f"state = '{state}' AND {due_times.QUIET_SINCE} <= {{now}} - {seconds}", due_times.QUIET_SINCE)


_LOCK_DUE = " UNION ALL ".join(
    (
        _some(f"{due_times.DUE_AT} <= {{now}}", due_times.DUE_AT),
        _quiet(State.PENDING, ":commits"),
        _quiet(State.COMMITS_PROCESSING, ":commits"),
        _quiet(State.USERS_PROCESSING, ":users"),
    )
)

# Not one statement with _LOCK_DUE: for many rows PostgreSQL would read the whole table. What waited until now waits
# like all others from now on, so that few have a past `not_before`: see `leases.take_next`.
_TAKE = f"""UPDATE repository SET enqueued_at = {{{{now}}}},
    not_before = CASE
        WHEN state IN ('pending', 'commits_processing') AND coalesce(waiting_code, '') <> '{WaitingCode.HOST_IS_DOWN}'
            AND not_before <= {{{{now}}}} THEN NULL ELSE not_before END
WHERE id IN ({{ids}}) RETURNING """ + ", ".join(COLUMNS)


def take_due(
    session: Session, *, limit: int, commits_quiet: float | None = None, users_quiet: float | None = None
) -> list[Repository]:
    """Mark due repositories as enqueued, and return them in queue order: ``limit`` of each kind at most.

    Args:
        commits_quiet, users_quiet: of a repository in this stage that was enqueued already, the seconds without any
            change after which it is due too; None: it is due at growing intervals (:mod:`podium.storage.due_times`).
    """
    found = session.all(
        _LOCK_DUE,
        limit=limit,
        commits=_NEVER if commits_quiet is None else commits_quiet,
        users=_NEVER if users_quiet is None else users_quiet,
    )
    rows: list[Row] = []
    for some in chunked({row["id"] for row in found}, _IDS_PER_QUERY):
        rows += session.all(_TAKE.format(ids=", ".join(map(str, some))))
    return sorted(map(Repository.from_row, rows), key=lambda repository: (repository.virtual_start, repository.id))


@dataclasses.dataclass(frozen=True, slots=True)
class Due:
    """``delay``: seconds until it is due (at most 0: now). ``is_held``: by a commit worker."""

    repository: Repository
    delay: float
    is_held: bool


def due(session: Session, repository_id: int) -> Due | None:
    row = session.one(
        f"""{SELECT}, not_before - {{now}} AS delay,
            CASE WHEN {NOT_HELD} THEN 0 ELSE 1 END AS is_held
        FROM repository WHERE id = :id""",
        id=repository_id,
    )
    return None if row is None else Due(Repository.from_row(row), row["delay"] or 0.0, bool(row["is_held"]))


_FOLLOWING_BATCH = f"""
SELECT MIN(batch) FROM commit_data
WHERE {OF_VALID_COUNT} AND NOT processed AND batch > :batch AND (batch - :batch) % :at_once = 0
    AND (claim_until IS NULL OR claim_until < {{now}})
    AND EXISTS (
        SELECT 1 FROM repository WHERE id = :id AND generation = :generation AND state = 'users_processing'
            AND (not_before IS NULL OR not_before <= {{now}})
    )
"""


def following_batch(session: Session, repository_id: int, generation: int, batch: int, *, at_once: int) -> int | None:
    """Return the unclaimed batch that replaces ``batch`` among ``at_once``."""
    following: int | None = session.value(
        _FOLLOWING_BATCH, id=repository_id, generation=generation, batch=batch, at_once=at_once
    )
    return following


def unfinished(session: Session, states: Collection[State], *, patience: float) -> dict[int, float | None]:
    """Return repositories due within ``patience`` seconds: ids and the end of their leases."""
    rows = session.all(
        f"""SELECT id, CASE WHEN lease_until > {{now}} THEN lease_until END AS held_until FROM repository
        WHERE host <> '' AND state IN ({", ".join(f"'{state}'" for state in states)})
            AND (not_before IS NULL OR not_before < {{now}} + :patience)""",
        patience=patience,
    )
    return {row["id"]: row["held_until"] for row in rows}


def failed_since(session: Session, moment: float) -> int:
    number: int = session.value(
        "SELECT count(*) FROM repository WHERE state = 'failed' AND host <> '' AND updated_at >= :moment", moment=moment
    )
    return number
