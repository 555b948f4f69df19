"""The overview of an installation, as values and as JSON. No I/O; :mod:`podium.monitoring.inspector` reads it.

Times are seconds since the epoch, by the database's clock.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from podium.jobs.queues import Depth
from podium.timeutil import iso_time


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """The number of repositories in one state, and the one that has been in it longest, since ``since``."""

    state: str
    count: int
    oldest_id: int | None = None
    oldest_url: str | None = None
    since: float | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """A repository that failed at ``since``."""

    id: int
    url: str
    error: str
    since: float


@dataclasses.dataclass(frozen=True, slots=True)
class Budget:
    """GitHub's budget of one API, over all tokens, in points per hour; None: not known, or no limit."""

    api: str
    limit: int | None
    remaining: int | None
    resets_at: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class WorkerRow:
    """A process that works on ``queues``, by its last heartbeat, at ``seen_at``."""

    id: str
    host: str
    pid: int
    version: str
    queues: tuple[str, ...]
    started_at: float
    seen_at: float
    alive: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Overview:
    """An installation at one moment, ``at``.

    queues: the messages by queue; None: no process that keeps them has reported them.
    source: where ``queues`` was read: ``memory``, ``redis``, or ``heartbeat`` (the workers' last reports).
    repositories: one entry per state. failures: the latest.
    leases_held: repositories that a worker holds. leases_expired: those whose worker died, and that no other took over.
    waiting: unfinished repositories that wait for a retry or for the end of a limit.
    batches_left, emails_left: not looked up yet.
    limits: when each of GitHub's limits ends that are in force, at most one per token, in order.
    """

    at: float
    queues: Mapping[str, Depth] | None
    source: str
    repositories: tuple[Standing, ...]
    failures: tuple[Failure, ...]
    leases_held: int
    leases_expired: int
    waiting: int
    batches_left: int
    emails_left: int
    budgets: tuple[Budget, ...]
    limits: tuple[float, ...]
    workers: tuple[WorkerRow, ...]


def as_json(overview: Overview) -> dict[str, Any]:
    """The overview as ``podium queue --json`` and ``GET /queues`` return it."""
    queues = overview.queues
    return {
        "at": iso_time(overview.at),
        "queues": None if queues is None else {name: dataclasses.asdict(depth) for name, depth in queues.items()},
        "queuesSource": overview.source or None,
        "repositories": {standing.state: _standing(standing, overview.at) for standing in overview.repositories},
        "failures": [
            {"id": one.id, "url": one.url, "error": one.error, "since": iso_time(one.since)}
            for one in overview.failures
        ],
        "leases": {"held": overview.leases_held, "expired": overview.leases_expired},
        "waiting": overview.waiting,
        "batchesLeft": overview.batches_left,
        "emailsLeft": overview.emails_left,
        "budget": [
            {"api": one.api, "limit": one.limit, "remaining": one.remaining, "resetsAt": iso_time(one.resets_at)}
            for one in overview.budgets
        ],
        "limitsInForce": [{"until": iso_time(until)} for until in overview.limits],
        "workers": [_worker(worker) for worker in overview.workers],
    }


def _standing(standing: Standing, at: float) -> dict[str, Any]:
    oldest = None
    if standing.oldest_id is not None:
        oldest = {"id": standing.oldest_id, "url": standing.oldest_url, "since": iso_time(standing.since)}
        oldest["seconds"] = None if standing.since is None else max(0, round(at - standing.since))
    return {"count": standing.count, "oldest": oldest}


def _worker(worker: WorkerRow) -> dict[str, Any]:
    return {
        "id": worker.id,
        "host": worker.host,
        "pid": worker.pid,
        "version": worker.version,
        "queues": list(worker.queues),
        "startedAt": iso_time(worker.started_at),
        "seenAt": iso_time(worker.seen_at),
        "alive": worker.alive,
    }
