"""The lease on a repository. :mod:`podium.jobs.lease` explains the fence."""

from __future__ import annotations

from podium.repositories.model import COLUMNS, Repository
from podium.repositories.store.queries import one
from podium.repositories.store.work.siblings import NO_SIBLING_IS_COUNTED
from podium.repositories.store.work.worker_faults import NOT_BY_THIS_WORKER
from podium.storage import due_times
from podium.storage.session import Session

_RETURNING = f"RETURNING {', '.join(COLUMNS)}"

# A holder cannot renew while the database is away, so it has ten seconds from the database's start to do so.
FREE = """(lease_until IS NULL OR lease_until < {now}
    AND (lease_until >= {up_since} OR {up_since} < {now} - 10))"""

_TAKE = f"""
UPDATE repository SET
    lease_holder = :holder,
    lease_until = {{now}} + :seconds,
    lease_token = lease_token + 1,
    -- A lease that expired while it was held belongs to a worker that crashed, unless none could be given back then.
    crashes = crashes + CASE WHEN lease_holder IS NULL OR lease_until < {{up_since}} THEN 0 ELSE 1 END,
    updated_at = {{now}}
WHERE id = %s AND {FREE}
{_RETURNING}
"""

_TAKE_ONE = _TAKE % ":id"
_TAKE_QUICK = _TAKE % f":id AND NOT is_slow AND {NO_SIBLING_IS_COUNTED} AND {NOT_BY_THIS_WORKER}"


def _first(condition: str, virtual_start: str) -> str:
    return f"""SELECT id, virtual_start FROM (
        SELECT id, virtual_start FROM repository
        WHERE {due_times.QUEUED} AND {condition} AND {FREE} AND NOT is_slow
            AND {NO_SIBLING_IS_COUNTED} AND {NOT_BY_THIS_WORKER}
        ORDER BY {virtual_start}, id LIMIT 1 {{skip_locked}}
    ) AS first"""


# Each part has an index, so that those whose time has not come cost nothing. The plus keeps the second part to its own.
_TAKE_NEXT = (
    _TAKE
    % f"""(
    SELECT id FROM (
        {_first("not_before IS NULL", "virtual_start")} UNION ALL {_first("not_before <= {now}", "+virtual_start")}
    ) AS found ORDER BY virtual_start, id LIMIT 1
)"""
)

_RENEW = """
UPDATE repository SET lease_until = {now} + :seconds
WHERE id = :id AND lease_token = :token AND lease_holder IS NOT NULL
"""


_IN_PROGRESS = """
SELECT id FROM repository r WHERE state IN ('pending', 'commits_processing', 'users_processing') AND (
    lease_until >= {now} OR not_before > {now} OR EXISTS (
        SELECT 1 FROM commit_data c WHERE c.repository_id = r.id AND c.count_id = r.count_id AND c.claim_until >= {now}
    )
)
"""


def in_progress(session: Session) -> set[int]:
    """The unfinished repositories that a process works on, or that wait for a time of their own."""
    return {row["id"] for row in session.all(_IN_PROGRESS)}


def take(session: Session, repository_id: int, *, holder: str, seconds: float) -> Repository | None:
    return one(session, _TAKE_ONE, id=repository_id, holder=holder, seconds=seconds)


def take_quick(session: Session, repository_id: int, *, holder: str, seconds: float, worker: str) -> Repository | None:
    """The same, unless the repository is slow, or ``worker`` cannot count it."""
    return one(session, _TAKE_QUICK, id=repository_id, holder=holder, seconds=seconds, worker=worker)


def take_next(session: Session, *, holder: str, seconds: float, worker: str) -> Repository | None:
    """Take the first free repository of the commit queue that is not slow, skipping locked rows.

    Of a repository, its branches and its tags, one is counted at a time.
    """
    return one(session, _TAKE_NEXT, holder=holder, seconds=seconds, worker=worker)


def renew(session: Session, repository_id: int, token: int, *, seconds: float) -> bool:
    return bool(session.run(_RENEW, id=repository_id, token=token, seconds=seconds))


def adopt(session: Session, repository_id: int, token: int, *, seconds: float) -> Repository | None:
    return one(session, _RENEW + _RETURNING, id=repository_id, token=token, seconds=seconds)


def release(session: Session, repository_id: int, token: int) -> bool:
    return bool(
        session.run(
            "UPDATE repository SET lease_holder = NULL, lease_until = NULL WHERE id = :id AND lease_token = :token",
            id=repository_id,
            token=token,
        )
    )


def lock_holder(session: Session, repository_id: int) -> int | None:
    token: int | None = session.value(
        "SELECT lease_token FROM repository WHERE id = :id AND lease_holder IS NOT NULL {for_update}",
        id=repository_id,
    )
    return token


def note_progress(session: Session, repository_id: int, token: int, progress: str) -> bool:
    return bool(
        session.run(
            "UPDATE repository SET progress = :progress, updated_at = {now} WHERE id = :id AND lease_token = :token",
            id=repository_id,
            token=token,
            progress=progress,
        )
    )
