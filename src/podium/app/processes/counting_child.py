"""Counts repositories in child processes, within the budget of each count, so that neither web nor queue is slowed."""

from __future__ import annotations

import dataclasses
import logging
import signal
import threading
from collections.abc import Callable

from podium.app import factories
from podium.app.processes.child_environment import counting_environment
from podium.errors import HistoryError
from podium.jobs import lease
from podium.repositories.model import Repository
from podium.settings import Settings
from podium.storage.session import Database
from podium.telemetry import metrics_pipe
from podium.telemetry.current_job import current, note_outcome
from podium.workers.counting_pool import OUT_OF_MEMORY, CountingPool

log = logging.getLogger(__name__)

# Seconds until a new process renews the lease that its parent took.
START_SECONDS = 10.0


class ChildCounter:
    """``on_fault``: called after a count that ended with a fault of this worker (``jobs/worker_fault_rules.py``)."""

    def __init__(
        self, settings: Settings, db: Database, worker_id: str = "", on_fault: Callable[[], None] = lambda: None
    ) -> None:
        self._settings = settings
        self._db = db
        self._worker_id = worker_id
        self._on_fault = on_fault
        self._pool = CountingPool(counting_environment(settings))

    def warm(self) -> None:
        self._pool.warm()

    def close(self) -> None:
        self._pool.close()

    def count(self, row: Repository, stop: threading.Event) -> bool:
        """Count a leased repository until it ends or ``stop`` is set; return whether to enqueue the next step.

        Raises:
            StorageError: the result of a process that died cannot be saved.
        """
        job = current()
        order = {
            "repository": row.id,
            "token": row.lease_token,
            "worker": self._worker_id,
            "job": job.id if job else "",
        }
        try:
            status = self._pool.count(order, stop, lambda line: metrics_pipe.receive(line, job))
        except (OSError, RuntimeError) as error:
            # No process or no thread. The reconciler enqueues it later.
            reason = error.strerror if isinstance(error, OSError) else error
            log.warning("repository %d: no counting process can be started: %s", row.id, reason)
            note_outcome("error")
            lease.give_back(self._db, row)
            return False
        budget = factories.count_budget(self._settings)
        if status == 0:
            if job is not None and job.outcome == "worker_fault":
                self._on_fault()
            return True
        if status is None:
            log.warning("repository %d: the counting process was stopped before it released it", row.id)
            note_outcome("released")
            lease.give_back(self._db, row)
        elif status == -signal.SIGXCPU:
            self._settle(row, budget.cpu_time_exceeded())
        elif status == OUT_OF_MEMORY:
            self._settle(row, budget.memory_exceeded())
        else:
            self._note_crash(row, status)
            return False
        return True

    def _settle(self, row: Repository, error: HistoryError) -> None:
        # Imports what counts, which this process seldom needs.
        source = factories.server_source(self._settings)
        counting = factories.commit_job(self._settings, self._db, source)
        dataclasses.replace(counting, worker_id=self._worker_id).settle_dead(row, error)

    def _note_crash(self, row: Repository, status: int) -> None:
        note_outcome("crashed")
        # The reconciler enqueues it later: the next process might crash as fast.
        log.warning("repository %d: the counting process ended with status %d", row.id, status)
        if status > 0:
            # It could not start and logged why. A killed one leaves its lease, which counts as a crash.
            lease.give_back(self._db, row)
