"""Reading what an operator asks of the queues: from the database, the broker, and what workers told of themselves.

What grows with the installation is counted on indexes: the repositories by state on (state, created_at), the batches on
the partial index of what is unprocessed. Only unfinished repositories are looked at one by one.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from podium.jobs.queues import Depth, QueueMonitor
from podium.monitoring.overview import Budget, Failure, Overview, Standing, WorkerRow
from podium.repositories.model import STATES
from podium.storage.session import Database, Row, Session
from podium.workers.heartbeat import DEAD_AFTER

FAILURES_SHOWN = 10

# Since when a repository is in its state. What a worker notes meanwhile moves updated_at.
_SINCE = {
    "pending": "updated_at",
    "commits_processing": "last_attempt",
    "users_processing": "commits_processed_at",
    "failed": "updated_at",
}

# Paths of this machine (host '') belong to the command line.
_COUNTS = "SELECT state, count(*) AS n FROM repository WHERE host <> '' GROUP BY state"

_OLDEST = """
SELECT id, url, {since} AS since FROM repository WHERE state = '{state}' AND host <> ''
ORDER BY {since} LIMIT 1
"""

# There may be millions: in the order of the index, which is the order in which they were set in motion.
_OLDEST_BOARD = """
SELECT id, url, last_processed_at AS since FROM repository
WHERE state = 'completed' AND enqueued_at > 0 AND host <> '' ORDER BY state, enqueued_at LIMIT 1
"""

_UNFINISHED = """
SELECT
    count(*) FILTER (WHERE lease_until >= {now}) AS held,
    count(*) FILTER (WHERE lease_holder IS NOT NULL AND lease_until < {now}) AS expired,
    count(*) FILTER (WHERE not_before > {now}) AS waiting,
    {now} AS at
FROM repository WHERE state IN ('pending', 'commits_processing', 'users_processing') AND host <> ''
"""

# All rows of one e-mail are in one batch.
_LEFT = """
SELECT count(*) AS batches, coalesce(sum(emails), 0) AS emails FROM (
    SELECT count(DISTINCT email) AS emails FROM commit_data JOIN repository ON repository.id = repository_id
    WHERE NOT processed AND state = 'users_processing' AND host <> '' GROUP BY repository_id, batch
) AS batch
"""

_FAILURES = """
SELECT id, url, error, updated_at AS since FROM repository WHERE state = 'failed' AND host <> ''
ORDER BY updated_at DESC, id LIMIT :limit
"""

_LIMITS = "SELECT held_until FROM github_limit WHERE held_until > {now} ORDER BY held_until"

_WORKERS = "SELECT *, seen_at >= {now} - :dead_after AS alive FROM worker ORDER BY started_at, id"


@dataclasses.dataclass(frozen=True, slots=True)
class Inspector:
    """Reads the overview.

    db: the truth. queues: those that this process can see; None: it sees none. budgets: reads GitHub's budget where
    this process can see it.
    """

    db: Database
    queues: QueueMonitor | None = None
    budgets: Callable[[], Sequence[Budget]] | None = None

    def overview(self) -> Overview:
        """Everything at this moment.

        Raises:
            StorageError: the database cannot be read.
            QueueError: the broker cannot be read.
        """
        depths = self.queues.depths() if self.queues else None
        budgets = tuple(self.budgets()) if self.budgets else ()
        with self.db.read() as session:
            unfinished = session.one(_UNFINISHED) or {}
            left = session.one(_LEFT) or {}
            workers = session.all(_WORKERS, dead_after=DEAD_AFTER)
            reports = [json.loads(row["report"]) for row in workers if row["alive"]]
            told = _told_depths(reports) if depths is None else None
            return Overview(
                at=unfinished["at"],
                queues=depths if depths is not None else told,
                source=self.queues.source if self.queues else "heartbeat" if told is not None else "",
                repositories=tuple(_standings(session)),
                failures=tuple(Failure(**row) for row in session.all(_FAILURES, limit=FAILURES_SHOWN)),
                leases_held=unfinished["held"],
                leases_expired=unfinished["expired"],
                waiting=unfinished["waiting"],
                batches_left=left["batches"],
                emails_left=int(left["emails"]),
                budgets=budgets or _told_budgets(reports),
                limits=tuple(row["held_until"] for row in session.all(_LIMITS)),
                workers=tuple(_worker(row) for row in workers),
            )

    def report(self) -> dict[str, Any]:
        """What a worker tells with its heartbeat: what no other process can see.

        Raises:
            QueueError: the broker cannot be read.
        """
        told: dict[str, Any] = {
            "budgets": [dataclasses.asdict(each) for each in self.budgets()] if self.budgets else []
        }
        if self.queues is not None and self.queues.source == "memory":
            told["queues"] = {name: dataclasses.asdict(depth) for name, depth in self.queues.depths().items()}
        return told


def _standings(session: Session) -> list[Standing]:
    counts = {row["state"]: int(row["n"]) for row in session.all(_COUNTS)}
    return [_standing(session, state, counts.get(state, 0)) for state in STATES]


def _standing(session: Session, state: str, count: int) -> Standing:
    sql = _OLDEST_BOARD if state == "completed" else _OLDEST.format(state=state, since=_SINCE[state])
    oldest = session.one(sql) if count else None
    return Standing(state, count, oldest["id"], oldest["url"], oldest["since"]) if oldest else Standing(state, count)


def _worker(row: Row) -> WorkerRow:
    return WorkerRow(
        id=row["id"],
        host=row["host"],
        pid=row["pid"],
        version=row["version"],
        queues=tuple(row["queues"].split()),
        started_at=row["started_at"],
        seen_at=row["seen_at"],
        alive=bool(row["alive"]),
    )


def _told_depths(reports: Sequence[Mapping[str, Any]]) -> Mapping[str, Depth] | None:
    """The queues in the memory of workers that are alive, added up; None where none told of any."""
    told = [each["queues"] for each in reports if "queues" in each]
    depths: dict[str, Depth] = {}
    for queues in told:
        for name, depth in queues.items():
            depths[name] = depths.get(name, Depth()) + Depth(**depth)
    return depths if told else None


def _told_budgets(reports: Sequence[Mapping[str, Any]]) -> tuple[Budget, ...]:
    """What the worker that started last knows of the budget."""
    told = [each["budgets"] for each in reports if each.get("budgets")]
    return tuple(Budget(**each) for each in told[-1]) if told else ()
