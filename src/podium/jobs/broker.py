"""The two queues of a process, on Dramatiq, and the threads that work them off.

A :class:`Backend` keeps the messages, in memory (:mod:`podium.jobs.memory_broker`) or in Redis
(:mod:`podium.jobs.redis_broker`). Each queue has a broker of its own, because Dramatiq starts one worker per broker:
counting and looking up are then sized and stopped apart.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

import dramatiq
from dramatiq.errors import BrokerConnectionError
from dramatiq.middleware import Middleware, Retries

from podium.errors import QueueError, StorageError
from podium.jobs.job_logging import JobObserver, report_end
from podium.jobs.overflow import OverflowSlot
from podium.jobs.queues import COMMITS, USERS, Backlog, QueueMonitor
from podium.jobs.retry import LATER
from podium.telemetry.current_job import current, note_outcome, running

log = logging.getLogger(__name__)

# Dramatiq's retries catch bugs only; expected failures are handled by podium.jobs.retry. After the last retry the
# message is dead, and the reconciler enqueues the repository again.
_RETRIES = {"max_retries": 3, "min_backoff": 1_000, "max_backoff": 10_000}

# Platforms give a process ten seconds to end. The rest is for releasing what is not finished.
SHUTDOWN_MILLISECONDS = 6_000
# How often an idle thread looks for messages.
_POLL_MILLISECONDS = 300


class Backend(Backlog, QueueMonitor, Protocol):
    """Keeps the messages of the queues."""

    def broker(self, queue: str, middleware: list[Middleware], /) -> dramatiq.Broker:
        """Return a broker for one queue."""

    def check(self) -> None:
        """Return if messages can be sent and taken.

        Raises:
            QueueError: they cannot.
        """


class JobQueue:
    """One queue and ``threads`` threads of this process that work it off; see :class:`JobQueues`."""

    def __init__(
        self,
        backend: Backend,
        name: str,
        handler: Callable[..., None],
        threads: int,
        overflow: OverflowSlot | None = None,
    ) -> None:
        self._observer = JobObserver()
        broker = backend.broker(name, [self._observer, Retries(**_RETRIES)])  # type: ignore[arg-type]
        self.name = name
        self._handler = handler
        self._threads = threads
        self._overflow = overflow
        self._actor = dramatiq.actor(actor_name=name, queue_name=name, broker=broker)(self._handle)
        self._worker = dramatiq.Worker(broker, worker_threads=max(1, threads), worker_timeout=_POLL_MILLISECONDS)
        # No more than there are threads: messages that one process has taken are lost to the others.
        self._worker.queue_prefetch = max(1, threads)
        # Delayed messages wait in this process, and must not keep one out that is due sooner.
        self._worker.delay_prefetch = 10_000

    def _handle(self, *ids: int) -> None:
        message = current()
        if self._overflow is None or message is None:
            self._run(*ids)
            return
        # A job that moves into the overflow slot outlives its message, and has an outcome of its own.
        job, started = dataclasses.replace(message), time.monotonic()

        def do() -> None:
            with running(job):
                try:
                    self._run(*ids)
                except BaseException:
                    job.outcome = "error"
                    raise

        try:
            ended = self._overflow.run(do, lambda: report_end(job, time.monotonic() - started))
            message.outcome = job.outcome if ended else "overflow"
        finally:
            message.repository = job.repository

    def _run(self, *ids: int) -> None:
        try:
            self._handler(*ids)
        except (StorageError, QueueError) as error:
            # A new message, since Dramatiq drops one after a few retries and the database may be away for longer.
            note_outcome("error")
            log.warning("%s %s: %s; again in %.0f s", self.name, ids, error, LATER)
            self.send(*ids, delay=LATER)

    @property
    def is_idle(self) -> bool:
        """Whether this process has taken no message of this queue and has no job in the overflow slot."""
        busy = self._observer.active or self._worker.work_queue.unfinished_tasks
        return not busy and (self._overflow is None or self._overflow.is_empty)

    def send(self, *ids: int, delay: float) -> None:
        """Enqueue a message of ids, for ``delay`` seconds from now at the earliest.

        If the broker is away, the message is dropped: the reconciler finds in the database what is due.
        """
        try:
            self._actor.send_with_options(args=ids, delay=int(delay * 1000) or None)
        except BrokerConnectionError as error:
            log.warning("%s: no message for %s: %s", self.name, ids, error)

    def start(self) -> None:
        """Start the threads."""
        if self._threads:
            self._worker.start()

    def stop(self) -> None:
        """Wait at most :data:`SHUTDOWN_MILLISECONDS` for the jobs in work, and end the threads."""
        if self._threads:
            self._worker.stop(timeout=SHUTDOWN_MILLISECONDS)
            if self._overflow is not None:
                self._overflow.wait(SHUTDOWN_MILLISECONDS / 1000)

    def check(self) -> None:
        """Return if every thread is alive.

        Raises:
            QueueError: one is not.
        """
        if self._threads and not (self._worker.workers and all(thread.is_alive() for thread in self._worker.workers)):
            raise QueueError("The workers of this process have stopped: restart it, and look at the log.")


class JobQueues:
    """Both queues of a process.

    Args:
        backend: keeps the messages.
        on_commits: handles a message of the commit queue.
        on_users: handles a message of the user queue.
        commit_threads: threads of this process for the commit queue; 0: it only enqueues.
        user_threads: the same for the user queue.
        overflow: takes over jobs of the commit queue that take long.
    """

    def __init__(
        self,
        backend: Backend,
        on_commits: Callable[[int], None],
        on_users: Callable[[int, int, int], None],
        *,
        commit_threads: int,
        user_threads: int,
        overflow: OverflowSlot | None = None,
    ) -> None:
        self.backend = backend
        self._commits = JobQueue(backend, COMMITS, on_commits, commit_threads, overflow)
        self._users = JobQueue(backend, USERS, on_users, user_threads)

    def enqueue_commits(self, repository_id: int, /, *, delay: float = 0) -> None:
        """See :class:`podium.jobs.queues.Queues`."""
        self._commits.send(repository_id, delay=delay)

    def enqueue_users(self, repository_id: int, generation: int, batch: int, /, *, delay: float = 0) -> None:
        """See :class:`podium.jobs.queues.Queues`."""
        self._users.send(repository_id, generation, batch, delay=delay)

    def start(self) -> None:
        """Start the threads."""
        self._commits.start()
        self._users.start()

    def check(self) -> None:
        """Return if messages can be sent, and every thread of this process is alive.

        Raises:
            QueueError: that is not so.
        """
        self.backend.check()
        self._commits.check()
        self._users.check()

    def is_idle(self) -> bool:
        """Whether this process has no job in work."""
        return self._commits.is_idle and self._users.is_idle

    def stop(self) -> None:
        """Stop the threads of both queues at the same time. What they do not finish stays due in the database."""
        users = threading.Thread(target=self._users.stop, name="stop-users")
        users.start()
        self._commits.stop()
        users.join()
