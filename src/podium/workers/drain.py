"""Process the queues until nothing is left, for a worker that runs as a job."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from podium.errors import QueueError, StorageError
from podium.jobs.messages.queues import STATES, Backlog
from podium.repositories.store.queue import due_work, worker_faults
from podium.storage.session import Database

log = logging.getLogger(__name__)

# Seconds: longer waits, such as a limit of GitHub's, are left to the next run.
PATIENCE = 60.0
LOOK_EVERY = 0.5


class Drain:
    """Waits until the queues have nothing left that this process can do.

    Args:
        worker_id: of this process, in its heartbeat.
        problem: says what keeps this machine from counting; None: nothing.
    """

    def __init__(
        self,
        db: Database,
        queues: tuple[str, ...],
        worker_id: str = "",
        problem: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._db = db
        self._queues = queues
        self._worker_id = worker_id
        self._problem = problem
        self._states = [state for queue in queues for state in STATES[queue]]
        self._first_seen: dict[int, float] = {}
        # Waiting repositories that this process cannot count.
        self._left: dict[int, str] = {}
        with db.read() as session:
            self._started: float = session.value("SELECT {now}")

    def run(self, messages: Backlog, is_idle: Callable[[], bool], stop: threading.Event) -> int:
        """Wait until nothing is left, or ``stop`` is set.

        Returns:
            The exit code: 1 if a repository failed, or if this process cannot count one that waits.

        Raises:
            StorageError, QueueError: the database or the queue was away for :data:`PATIENCE` seconds.
        """
        answered = able = time.monotonic()
        while not stop.wait(LOOK_EVERY):
            try:
                problem = self._problem()
                if problem is None or not is_idle():
                    able = time.monotonic()
                if is_idle() and self._is_finished(messages, problem):
                    return self._exit_code()
                answered = time.monotonic()
                if answered - able > PATIENCE:
                    log.error("repositories wait that cannot be counted here: %s", problem)
                    return 1
            except (StorageError, QueueError):
                if time.monotonic() - answered > PATIENCE:
                    raise
        return 0

    def _is_finished(self, messages: Backlog, problem: str | None) -> bool:
        waiting = messages.waiting(*self._queues)
        # Messages about what this process cannot count stay in the queue.
        return self.is_done() and bool(self._left or problem or not waiting)

    def _exit_code(self) -> int:
        for number, reason in self._left.items():
            log.error("repository %d waits and cannot be counted here: %s", number, reason)
        failed = self.failed()
        log.info("nothing is left to do; %d failed", failed)
        return 1 if failed or self._left else 0

    def is_done(self) -> bool:
        """Whether nothing is left for this process.

        It leaves a repository to another worker that renews the lease. A lease that is never renewed belongs to a dead
        worker.
        """
        with self._db.read() as session:
            unfinished = due_work.unfinished(session, self._states, patience=PATIENCE)
            found = worker_faults.left_by(session, self._worker_id, seconds=PATIENCE) if self._worker_id else {}
        self._left = {number: reason for number, reason in found.items() if number in unfinished}
        return not any(
            self._is_ours(number, held_until) for number, held_until in unfinished.items() if number not in self._left
        )

    def _is_ours(self, number: int, held_until: float | None) -> bool:
        return held_until is None or self._first_seen.setdefault(number, held_until) == held_until

    def failed(self) -> int:
        with self._db.read() as session:
            return due_work.failed_since(session, self._started)
