"""The lease on a repository. :mod:`podium.jobs.lease` explains the fence."""

from __future__ import annotations

from podium.repositories.model import COLUMNS, Repository
from podium.repositories.store.queries import FREE, one
from podium.repositories.store.queue.host_limits import FULL_HOSTS, HAS_SLOT
from podium.repositories.store.queue.siblings import NO_SIBLING_IS_COUNTED
from podium.repositories.store.queue.worker_faults import NOT_BY_THIS_WORKER
from podium.storage import due_times
from podium.storage.session import Session

_RETURNING = f"RETURNING {', '.join(COLUMNS)}"

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
_TAKE_ONE_OF_HOST_WITH_SLOT = _TAKE % f":id AND {HAS_SLOT}"
_TAKE_QUICK_OF_HOST_WITH_SLOT = (
    _TAKE % f":id AND NOT is_slow AND {NO_SIBLING_IS_COUNTED} AND {NOT_BY_THIS_WORKER} AND {HAS_SLOT}"
)

_IS_TAKEN = f"{FREE} AND NOT is_slow AND {NO_SIBLING_IS_COUNTED} AND {NOT_BY_THIS_WORKER}"


def _first(condition: str, virtual_start: str) -> str:
    return f"""SELECT id, virtual_start FROM (
        SELECT id, virtual_start FROM repository
        WHERE {due_times.QUEUED} AND {condition} AND {_IS_TAKEN}
        ORDER BY {virtual_start}, id LIMIT 1 {{skip_locked}}
    ) AS first"""


# The plus keeps this part to the index of times.
_FIRST_WHOSE_TIME_HAS_COME = _first("not_before <= {now}", "+virtual_start")


def _take_first(*parts: str) -> str:
    return _TAKE % f"(SELECT id FROM ({' UNION ALL '.join(parts)}) AS found ORDER BY virtual_start, id LIMIT 1)"


# Each part has an index, so that those whose time has not come cost nothing.
_TAKE_NEXT = _take_first(_first("not_before IS NULL", "virtual_start"), _FIRST_WHOSE_TIME_HAS_COME)

# The first repository of each waiting host that has a slot: an index leads from host to host, past all that wait for a
# host without one.
_FIRST_OF_EACH_HOST = f"""SELECT
    id, (SELECT virtual_start FROM repository WHERE repository.id = first.id) AS virtual_start
FROM (
    WITH RECURSIVE waiting_host(name) AS (
        SELECT min(host) FROM repository WHERE {due_times.QUEUED_NOW}
        UNION ALL
        SELECT (SELECT min(host) FROM repository WHERE {due_times.QUEUED_NOW} AND host > waiting_host.name)
        FROM waiting_host WHERE waiting_host.name IS NOT NULL
    )
    SELECT (
        SELECT id FROM repository
        WHERE {due_times.QUEUED_NOW} AND host = waiting_host.name AND {_IS_TAKEN}
        ORDER BY virtual_start, id LIMIT 1
    ) AS id FROM waiting_host WHERE name NOT IN ({FULL_HOSTS})
) AS first WHERE id IS NOT NULL"""
_TAKE_NEXT_OF_HOST_WITH_SLOT = _take_first(
    _FIRST_OF_EACH_HOST, _first(f"not_before <= {{now}} AND {HAS_SLOT}", "+virtual_start")
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


def take_quick(
    session: Session, repository_id: int, *, holder: str, seconds: float, worker: str, per_host: int | None = None
) -> Repository | None:
    """Like :func:`take`, except for a slow repository or one that ``worker`` cannot count.

    per_host: see :func:`take_next`.
    """
    values = {"id": repository_id, "holder": holder, "seconds": seconds, "worker": worker}
    if per_host is None:
        return one(session, _TAKE_QUICK, **values)
    return one(session, _TAKE_QUICK_OF_HOST_WITH_SLOT, **values, per_host=per_host)


def take_slow(
    session: Session, repository_id: int, *, holder: str, seconds: float, per_host: int | None = None
) -> Repository | None:
    """Take a repository, slow or not; per_host: as of :func:`take_next`."""
    if per_host is None:
        return take(session, repository_id, holder=holder, seconds=seconds)
    return one(
        session, _TAKE_ONE_OF_HOST_WITH_SLOT, id=repository_id, holder=holder, seconds=seconds, per_host=per_host
    )


def take_next(
    session: Session, *, holder: str, seconds: float, worker: str, per_host: int | None = None
) -> Repository | None:
    """Take the first free repository of the commit queue that is not slow, skipping locked rows.

    Of a repository, its branches and its tags, one is counted at a time.

    per_host: None if no host is full (:func:`podium.repositories.store.queue.host_limits.is_any_full`); otherwise the
        limit of hosts without one of their own; repositories of full hosts are skipped.
    """
    values: dict[str, object] = {"holder": holder, "seconds": seconds, "worker": worker}
    if per_host is None:
        return one(session, _TAKE_NEXT, **values)
    return one(session, _TAKE_NEXT_OF_HOST_WITH_SLOT, **values, per_host=per_host)


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
