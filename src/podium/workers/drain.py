"""Process the queues until nothing is left, for a worker that runs as a job."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from podium.errors import QueueError, StorageError
from podium.jobs.queues import STATES, Backlog
from podium.repositories.store import schedule
from podium.storage.session import Database

log = logging.getLogger(__name__)

# Seconds: longer waits, such as a limit of GitHub's, are left to the next run.
PATIENCE = 60.0
LOOK_EVERY = 0.5


class Drain:
    def __init__(self, db: Database, queues: tuple[str, ...]) -> None:
        self._db = db
        self._queues = queues
        self._states = [state for queue in queues for state in STATES[queue]]
        self._first_seen: dict[int, float] = {}
        with db.read() as session:
            self._started: float = session.value("SELECT {now}")

    def run(self, messages: Backlog, is_idle: Callable[[], bool], stop: threading.Event) -> int:
        """Wait until nothing is left, or ``stop`` is set; return the exit code: 1 if a repository failed.

        Raises:
            StorageError, QueueError: the database or the queue was away for :data:`PATIENCE` seconds.
        """
        answered = time.monotonic()
        while not stop.wait(LOOK_EVERY):
            try:
                if is_idle() and not messages.waiting(*self._queues) and self.is_done():
                    failed = self.failed()
                    log.info("nothing is left to do; %d failed", failed)
                    return 1 if failed else 0
                answered = time.monotonic()
            except (StorageError, QueueError):
                if time.monotonic() - answered > PATIENCE:
                    raise
        return 0

    def is_done(self) -> bool:
        """Whether nothing is left for this process.

        It leaves a repository to another worker that renews the lease. A lease that is never renewed belongs to a dead
        worker.
        """
        with self._db.read() as session:
            left = schedule.unfinished(session, self._states, patience=PATIENCE)
        return not any(self._is_ours(number, held_until) for number, held_until in left.items())

    def _is_ours(self, number: int, held_until: float | None) -> bool:
        return held_until is None or self._first_seen.setdefault(number, held_until) == held_until

    def failed(self) -> int:
        with self._db.read() as session:
            return schedule.failed_since(session, self._started)
