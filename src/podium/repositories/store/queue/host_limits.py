"""How many repositories of one git host are counted at once, over all processes.

The setting ``PODIUM_COUNTS_PER_HOST`` holds for every host, a row of the table ``host_limit`` for one; 0: no limit.
Held leases are counted. Where any limit is set, workers take repositories one at a time, by an advisory lock until the
end of the transaction, so that two of them never take the last slot of a host.
"""

from __future__ import annotations

import dataclasses

from podium.repositories.store.queries import FREE, update_some
from podium.storage import due_times
from podium.storage.session import Session

_LIMIT = "coalesce((SELECT at_once FROM host_limit WHERE host_limit.host = {host}), :per_host)"

_HELD = f"lease_holder IS NOT NULL AND host <> '' AND NOT {FREE}"

# Hosts that have no slot left.
FULL_HOSTS = f"""SELECT held.host FROM (
    SELECT host, count(*) AS running FROM repository WHERE {_HELD} GROUP BY host
) AS held WHERE {_LIMIT.format(host="held.host")} BETWEEN 1 AND held.running"""

HAS_SLOT = f"host NOT IN ({FULL_HOSTS})"


@dataclasses.dataclass(frozen=True, slots=True)
class HostLimit:
    """at_once: 0: no limit. running: repositories that are counted now."""

    host: str
    at_once: int
    running: int


def is_any_full(session: Session, per_host: int) -> bool:
    """Whether a host has no slot left. If any limit is set, other workers take nothing until this transaction ends."""
    if not session.value("SELECT :per_host > 0 OR EXISTS (SELECT 1 FROM host_limit)", per_host=per_host):
        return False
    session.value("SELECT {one_take_at_a_time}")
    return session.one(f"{FULL_HOSTS} LIMIT 1", per_host=per_host) is not None


_NEXT = f"""
SELECT id FROM repository WHERE {{condition}} AND {FREE} AND {_LIMIT.format(host=":host")} > 0
ORDER BY virtual_start, id LIMIT 1
"""
_NEXT_QUICK = _NEXT.replace("{condition}", f"{due_times.QUEUED_NOW} AND host = :host")
# The first of any host: a message only wakes a worker, which looks for one that has a slot.
_NEXT_SLOW = _NEXT.replace("{condition}", f"{due_times.QUEUED_SLOW} AND (not_before IS NULL OR not_before <= {{now}})")


def next_of_host(session: Session, host: str, per_host: int) -> int | None:
    """A repository that may wait for a slot of its host; None if the host has no limit, or nothing waits."""
    for sql in (_NEXT_QUICK, _NEXT_SLOW):
        found: int | None = session.value(sql, host=host, per_host=per_host)
        if found is not None:
            return found
    return None


def is_known(session: Session, host: str) -> bool:
    """Whether a repository of a host is here, or the host is paused or limited."""
    return bool(
        session.value(
            """SELECT EXISTS (SELECT 1 FROM repository WHERE key >= :first AND key < :behind AND host = :host)
                OR EXISTS (SELECT 1 FROM pause WHERE kind = 'host' AND name = :host)
                OR EXISTS (SELECT 1 FROM host_limit WHERE host = :host)""",
            first=f"{host}/",
            behind=f"{host}0",
            host=host,
        )
    )


def set_limit(session: Session, host: str, at_once: int) -> bool:
    """Limit the concurrent counts of a host; return whether that is a change. 0: no limit."""
    is_new = session.run(
        """INSERT INTO host_limit (host, at_once) VALUES (:host, :at_once)
        ON CONFLICT (host) DO UPDATE SET at_once = :at_once WHERE host_limit.at_once <> :at_once""",
        host=host,
        at_once=at_once,
    )
    # The reconciler enqueues them soon: there may be more slots.
    session.run(
        update_some(
            "enqueued_at = NULL",
            chosen=f"""SELECT id FROM repository WHERE {due_times.QUEUED_NOW} AND host = :host AND {FREE}
                ORDER BY virtual_start, id LIMIT :most {{skip_locked}}""",
        ),
        host=host,
        most=at_once or _AT_ONCE_WITHOUT_LIMIT,
    )
    return bool(is_new)


# Repositories that follow at once when a limit ends; the others follow as these are counted.
_AT_ONCE_WITHOUT_LIMIT = 100


def unset_limit(session: Session, host: str) -> bool:
    """Let the setting hold for a host; return False if it did already."""
    return bool(session.run("DELETE FROM host_limit WHERE host = :host", host=host))


def limits(session: Session, per_host: int, *, limit: int) -> list[HostLimit]:
    """The hosts with a limit of their own, and those with a limit by the setting that are counted now."""
    rows = session.all(
        f"""SELECT host, {_LIMIT.format(host="limited.host")} AS at_once, (
            SELECT count(*) FROM repository WHERE {_HELD} AND repository.host = limited.host
        ) AS running
        FROM (
            SELECT host FROM host_limit UNION SELECT host FROM repository WHERE {_HELD} AND :per_host > 0
        ) AS limited ORDER BY host LIMIT :limit""",
        per_host=per_host,
        limit=limit,
    )
    return [HostLimit(**row) for row in rows]
