"""Slow repositories, which are counted in overflow slots only (:mod:`podium.jobs.overflow`)."""

from __future__ import annotations

from podium.repositories.model import Repository
from podium.repositories.store.queries import FREE
from podium.repositories.store.queue.host_limits import HAS_SLOT
from podium.repositories.store.queue.siblings import NO_SIBLING_IS_COUNTED
from podium.repositories.store.queue.worker_faults import NOT_BY_THIS_WORKER
from podium.storage import due_times
from podium.storage.session import Session

_COUNTS = "state IN ('pending', 'commits_processing')"

# Repositories of the command line have no client. All of the schedule count as one client's.
HAS_SHARE = f"""(client_id IS NULL AND NOT is_scheduled OR client_id IS NOT NULL AND (
    SELECT count(*) FROM repository AS other
    WHERE other.client_id = repository.client_id AND other.id <> repository.id
        AND other.is_slow AND other.lease_until >= {{now}}
) < :per_client OR is_scheduled AND (
    SELECT count(*) FROM repository AS other
    WHERE other.{_COUNTS} AND other.is_scheduled AND other.id <> repository.id
        AND other.is_slow AND other.lease_until >= {{now}}
) < :per_client)"""

# A repository of a host without a slot is one only if this count gives its slot to it.
_IS_QUICK_AND_WAITS = f"""host <> '' AND {_COUNTS} AND NOT is_slow AND {FREE}
    AND (not_before IS NULL OR not_before <= {{now}}) AND (host = :host OR {HAS_SLOT})"""


def mark(session: Session, repository: Repository, *, per_client: int) -> bool:
    """Note that a running count is slow; return False if its client has ``per_client`` others that run."""
    # Two counts of one client may become slow at the same moment.
    session.value("SELECT {one_at_a_time}")
    return bool(
        session.run(
            f"""UPDATE repository SET is_slow = true
            WHERE id = :id AND lease_token = :token AND {_COUNTS} AND {HAS_SHARE}""",
            id=repository.id,
            token=repository.lease_token,
            per_client=per_client,
        )
    )


def make_way(session: Session, repository: Repository, *, per_host: int = 0) -> bool:
    """Make a running count slow and pending if a quick repository of another client waits; return whether one does.

    What the schedule asked for makes way for all others, and no other for it.

    per_host: see :mod:`podium.repositories.store.queue.host_limits`.
    """
    return bool(
        session.run(
            f"""UPDATE repository SET is_slow = true, state = 'pending', updated_at = {{now}}
            WHERE id = :id AND lease_token = :token AND {_COUNTS} AND EXISTS (
                SELECT 1 FROM (SELECT client_id AS waiting FROM repository
                    WHERE {_IS_QUICK_AND_WAITS} AND NOT is_scheduled) AS quick
                WHERE repository.is_scheduled OR coalesce(waiting, '') <> coalesce(repository.client_id, '')
            )""",
            id=repository.id,
            token=repository.lease_token,
            host=repository.host,
            per_host=per_host,
        )
    )


def next_waiting(session: Session, *, per_client: int, worker: str = "", per_host: int = 0) -> int | None:
    """The slow repository that a worker may count next."""
    found: int | None = session.value(
        f"""SELECT id FROM repository
        WHERE {due_times.QUEUED_SLOW} AND {FREE} AND (not_before IS NULL OR not_before <= {{now}})
            AND {HAS_SHARE} AND {NO_SIBLING_IS_COUNTED} AND {NOT_BY_THIS_WORKER} AND {HAS_SLOT}
        ORDER BY virtual_start, id LIMIT 1""",
        per_client=per_client,
        worker=worker,
        per_host=per_host,
    )
    return found
