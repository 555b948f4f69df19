"""``podium _count``: a child process of the server that counts one repository."""

from __future__ import annotations

import sys
import threading
from contextlib import closing

from podium.app import factories
from podium.jobs import lease
from podium.jobs.queues import COMMITS
from podium.settings import Settings
from podium.telemetry import current_job, metrics
from podium.telemetry.metrics_pipe import MetricsPipe


def count_one(settings: Settings, repository_id: int, token: int, job_id: str, stop: threading.Event) -> None:
    """Count one repository under the parent's lease ``token``; send metrics and outcome to the parent.

    ``job_id``: the parent's job, for log lines. ``stop`` interrupts the count.

    Raises:
        StorageError: the database cannot be used.
    """
    job, pipe = current_job.Job(COMMITS, repository_id, job_id), MetricsPipe(sys.stdout.buffer)
    current_job.set_process_job(job)
    metrics.install(pipe)
    with closing(factories.open_database(settings, patience=settings.lease_seconds)) as db:
        row = lease.adopt(db, repository_id, token, seconds=settings.lease_seconds)
        if row is not None:
            factories.commit_job(settings, db, factories.server_source(settings)).run_held(row, stop)
        pipe.send_outcome(job)
