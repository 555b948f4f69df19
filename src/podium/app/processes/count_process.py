"""``podium _count``: a child process of a server or a worker that counts repositories, one after another."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import resource
import sys
import threading
from collections.abc import Iterable
from contextlib import closing

from podium.app import factories
from podium.errors import HistoryError
from podium.jobs import lease
from podium.jobs.messages.queues import COMMITS
from podium.settings import Settings
from podium.telemetry import current_job, metrics
from podium.telemetry.metrics_pipe import MetricsPipe
from podium.workers.counting_pool import LAST, READY

# Bytes of memory at its highest; a process that used more ends after its count and gives them back.
_MOST_KEPT = 256 << 20
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


def count_each(settings: Settings, orders: Iterable[bytes], stop: threading.Event) -> None:
    """Count each ordered repository under the parent's lease; send metrics and outcome to the parent.

    ``orders``: JSON with the ids ``repository``, ``token`` (of the lease), ``worker`` and ``job`` (of the
            parent, for log lines).
    ``stop`` interrupts the count; an order that comes after it is given back.

    Raises:
        StorageError: the database cannot be used.
    """
    output = sys.stdout.buffer
    pipe = MetricsPipe(output)
    metrics.install(pipe)
    budget = factories.count_budget(settings)
    with closing(factories.open_database(settings, patience=settings.lease_seconds)) as db:
        counting = factories.commit_job(settings, db, factories.server_source(settings, db))
        for line in orders:
            order = json.loads(line)
            if stop.is_set():
                lease.release(db, order["repository"], order["token"])
                continue
            job = current_job.Job(COMMITS, order["repository"], order["job"])
            current_job.set_process_job(job)
            budget.limit_process()
            row = lease.adopt(db, order["repository"], order["token"], seconds=settings.lease_seconds)
            job_of_worker = dataclasses.replace(counting, worker_id=order["worker"])
            error = None if row is None else job_of_worker.run_held(row, stop)
            pipe.send_outcome(job)
            is_last = stop.is_set() or _is_worn(error)
            # A parent that has ended also sets stop.
            with contextlib.suppress(OSError):
                output.write(LAST if is_last else READY)
                output.flush()
            if is_last:
                return


def _is_worn(error: Exception | None) -> bool:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT
    return peak > _MOST_KEPT or (isinstance(error, HistoryError) and error.code == "too-large")
