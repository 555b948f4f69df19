"""Dramatiq, set up once: the two queues, and the threads of this process that work them off.

Where the messages lie is a :class:`Backend`: this process (:mod:`podium.jobs.memory_broker`) or Redis
(:mod:`podium.jobs.redis_broker`). One broker a queue: counting commits and looking users up are then scaled, filled and
stopped apart.
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
from podium.jobs.job_logging import Observe, tell_end
from podium.jobs.overflow import Aside
from podium.jobs.queues import COMMITS, USERS, Backlog, QueueMonitor
from podium.jobs.retry import LATER
from podium.telemetry.current_job import current, note_outcome, running

log = logging.getLogger(__name__)

# For what nobody thought of. What goes wrong with a repository is decided by podium.jobs.retry and kept in the
# database; beyond these retries the message is a dead letter, and the reconciler rings again.
_RETRIES = {"max_retries": 3, "min_backoff": 1_000, "max_backoff": 10_000}

# Of the ten seconds that a platform gives a process to end; the rest is for handing back what is not finished by then.
SHUTDOWN_MILLISECONDS = 6_000
# Bounds how long a message may wait for an idle worker.
_POLL_MILLISECONDS = 300


class Backend(Backlog, QueueMonitor, Protocol):
    """Where the messages of the queues lie."""

    def broker(self, queue: str, middleware: list[Middleware], /) -> dramatiq.Broker:
        """A broker for one queue."""

    def check(self) -> None:
        """Return when messages can be sent and taken.

        Raises:
            QueueError: they cannot.
        """


class JobQueue:
    """One queue and the threads that work it off; with no threads it is only rung."""

    def __init__(
        self,
        backend: Backend,
        name: str,
        handler: Callable[..., None],
        threads: int,
        aside: Aside | None = None,
    ) -> None:
        self._observe = Observe()
        broker = backend.broker(name, [self._observe, Retries(**_RETRIES)])  # type: ignore[arg-type]
        self.name = name
        self._handler = handler
        self._threads = threads
        self._aside = aside
        self._actor = dramatiq.actor(actor_name=name, queue_name=name, broker=broker)(self._handle)
        self._worker = dramatiq.Worker(broker, worker_threads=max(1, threads), worker_timeout=_POLL_MILLISECONDS)
        # What one process has taken, no other can do: not more than there are threads for.
        self._worker.queue_prefetch = max(1, threads)
        # A delayed message waits in the memory of whoever took it, and must not keep one out whose time comes sooner.
        self._worker.delay_prefetch = 10_000

    def _handle(self, *ids: int) -> None:
        message = current()
        if self._aside is None or message is None:
            self._patiently(*ids)
            return
        # What is set aside outlives its message, and ends in its own way.
        job, started = dataclasses.replace(message), time.monotonic()

        def do() -> None:
            with running(job):
                try:
                    self._patiently(*ids)
                except BaseException:
                    job.outcome = "error"
                    raise

        try:
            ended = self._aside.run(do, lambda: tell_end(job, time.monotonic() - started))
            message.outcome = job.outcome if ended else "overflow"
        finally:
            message.repository = job.repository

    def _patiently(self, *ids: int) -> None:
        try:
            self._handler(*ids)
        except (StorageError, QueueError) as error:
            # It says nothing about the message, which would be given up after a few tries: it is rung for anew.
            note_outcome("error")
            log.warning("%s %s: %s; again in %.0f s", self.name, ids, error, LATER)
            self.send(*ids, delay=LATER)

    @property
    def is_idle(self) -> bool:
        """Whether this process has no message of this queue in hand."""
        busy = self._observe.active or self._worker.work_queue.unfinished_tasks
        return not busy and (self._aside is None or self._aside.is_empty)

    def send(self, *ids: int, delay: float) -> None:
        """Enqueue a message of ids, to be worked off in ``delay`` seconds at the earliest.

        A bell that cannot be rung is no error: what is due stands in the database, and the reconciler finds it.
        """
        try:
            self._actor.send_with_options(args=ids, delay=int(delay * 1000) or None)
        except BrokerConnectionError as error:
            log.warning("%s could not be rung for %s: %s", self.name, ids, error)

    def start(self) -> None:
        """Start the threads."""
        if self._threads:
            self._worker.start()

    def stop(self) -> None:
        """Wait for what is in hand, at most six seconds, and end the threads."""
        if self._threads:
            self._worker.stop(timeout=SHUTDOWN_MILLISECONDS)
            if self._aside is not None:
                self._aside.wait(SHUTDOWN_MILLISECONDS / 1000)

    def check(self) -> None:
        """Return when every thread is there to take messages.

        Raises:
            QueueError: one is not.
        """
        if self._threads and not (self._worker.workers and all(thread.is_alive() for thread in self._worker.workers)):
            raise QueueError("The workers of this process have stopped: restart it, and look at the log.")


class JobQueues:
    """Both queues. It is also the ring: ringing puts a message on one of them.

    Args:
        backend: where the messages lie.
        on_commits: works a message of the commit queue off.
        on_users: works a message of the user queue off.
        commit_workers: threads of this process for the commit queue; 0: it is only rung.
        user_workers: the same for the user queue.
        aside: where jobs of the commit queue that take long go on.
    """

    def __init__(
        self,
        backend: Backend,
        on_commits: Callable[[int], None],
        on_users: Callable[[int, int, int], None],
        *,
        commit_workers: int,
        user_workers: int,
        aside: Aside | None = None,
    ) -> None:
        self.backend = backend
        self._commits = JobQueue(backend, COMMITS, on_commits, commit_workers, aside)
        self._users = JobQueue(backend, USERS, on_users, user_workers)

    def enqueue_commits(self, repository_id: int, /, *, delay: float = 0) -> None:
        """Put a message on the commit queue."""
        self._commits.send(repository_id, delay=delay)

    def enqueue_users(self, repository_id: int, generation: int, batch: int, /, *, delay: float = 0) -> None:
        """Put a message on the user queue."""
        self._users.send(repository_id, generation, batch, delay=delay)

    def start(self) -> None:
        """Start the workers."""
        self._commits.start()
        self._users.start()

    def check(self) -> None:
        """Return when messages can be sent, and this process takes those that it should.

        Raises:
            QueueError: that is not so.
        """
        self.backend.check()
        self._commits.check()
        self._users.check()

    def is_idle(self) -> bool:
        """Whether this process has no message in hand."""
        return self._commits.is_idle and self._users.is_idle

    def stop(self) -> None:
        """Stop the workers, both at the same time; what they do not finish stays due in the database."""
        other = threading.Thread(target=self._users.stop, name="stop-users")
        other.start()
        self._commits.stop()
        other.join()
