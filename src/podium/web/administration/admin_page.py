"""What the administration page shows."""

from __future__ import annotations

import dataclasses
from typing import Any

from podium.audit import audit_log
from podium.errors import PodiumError, QueueError
from podium.monitoring.inspector import Inspector
from podium.monitoring.overview import Overview
from podium.repositories.model import State
from podium.repositories.queue_places import first_places
from podium.repositories.store.freshness import names
from podium.repositories.store.queue import host_limits, host_outages, pauses, worker_faults
from podium.repositories.store.queue.worker_faults import FaultOfWorker
from podium.repositories.store.readers import queue_counts, statistics
from podium.storage import migrate
from podium.storage.session import Session
from podium.web.services import Context

ROWS = 50
ENTRIES = 100

_KINDS_SHOWN = 20
_HOSTS_SHOWN = 50
_PAUSES_SHOWN = 200
_WORKERS_SHOWN = 100


def overview_values(context: Context) -> dict[str, Any]:
    """Read the values of the first page. A database or queue that is away is one of them."""
    services = context.services
    note = None
    try:
        overview, note = _overview(services.inspector)
        with services.db.read() as session:
            found = _read(session, overview)
    except PodiumError as error:
        found = {"overview": None}
        note = error.message
    examination, age = context.doctor.latest()
    return {"note": note, "examination": examination, "examined": age, **found}


def queue_values(context: Context) -> dict[str, Any]:
    """Read the values of the page of pauses and limits."""
    services = context.services
    with services.db.read() as session:
        return {
            "pauses": pauses.pauses(session, limit=_PAUSES_SHOWN),
            "limits": host_limits.limits(session, services.settings.counts_per_host, limit=_HOSTS_SHOWN),
            "per_host": services.settings.counts_per_host,
            "queued": queue_counts.queued(session),
            "checks": queue_counts.due_checks(session),
        }


def _overview(inspector: Inspector) -> tuple[Overview, str | None]:
    try:
        return inspector.overview(), None
    except QueueError as error:
        # The database says the rest.
        return dataclasses.replace(inspector, queues=None).overview(), error.message


def _read(session: Session, overview: Overview) -> dict[str, Any]:
    faults: dict[str, list[FaultOfWorker]] = {}
    for fault in worker_faults.by_worker(session, limit=_WORKERS_SHOWN):
        faults.setdefault(fault.worker_id, []).append(fault)
    return {
        "overview": overview,
        "work": statistics.unfinished_repositories(session, limit=10, offset=0),
        "places": first_places(session),
        "unfinished": sum(found.count for state, found in overview.repositories.items() if state.is_unfinished),
        "failed": overview.repositories[State.FAILED].count,
        "kinds": statistics.failures_by_code(session)[:_KINDS_SHOWN],
        "hosts": host_outages.down(session, limit=_HOSTS_SHOWN),
        "taken": names.undecided(session, limit=_HOSTS_SHOWN),
        "workers": [
            {**dataclasses.asdict(worker), "faults": faults.get(worker.id, ())}
            for worker in overview.workers[:_WORKERS_SHOWN]
        ],
        "revision": migrate.HEAD,
        "counting_problem": overview.counting_problem,
        "entries": audit_log.latest(session, 5),
    }
