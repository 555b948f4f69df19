"""The two queues of a process, on Dramatiq. Each has its own broker, because Dramatiq starts one worker per broker."""

from __future__ import annotations

import dataclasses
import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import dramatiq
from dramatiq.errors import BrokerConnectionError
from dramatiq.middleware import Middleware, Retries

from podium.errors import QueueError, StorageError
from podium.jobs.job_logging import JobObserver, report_end
from podium.jobs.messages.queues import COMMITS, USERS, QueueMonitor, SharedBacklog
from podium.jobs.overflow import OverflowSlots, RunningJob
from podium.jobs.retry import LATER
from podium.telemetry.current_job import current, note_outcome, running

log = logging.getLogger(__name__)

# Dramatiq retries only after bugs; podium.jobs.retry handles expected errors.
_RETRIES = {"max_retries": 3, "min_backoff": 1_000, "max_backoff": 10_000}

# Platforms give a process ten seconds to end.
SHUTDOWN_MILLISECONDS = 6_000
_POLL_MILLISECONDS = 300
_IDLE_SECONDS = 60.0


class Backend(SharedBacklog, QueueMonitor, Protocol):
    """Keeps messages in memory or in Redis (:mod:`podium.jobs.messages.redis_broker`)."""

    def broker(self, queue: str, middleware: list[Middleware], paused: threading.Event, /) -> dramatiq.Broker:
        """``paused``: no message is taken from the queue while it is set."""

    def check(self) -> None:
        """Raise QueueError unless messages can be sent and received."""


class _WorkQueue(queue.PriorityQueue[Any]):
    """Lets idle threads of Dramatiq's wait until there is a message, or :meth:`close`: Dramatiq's timeout is short."""

    def __init__(self) -> None:
        super().__init__()
        self._closed = False

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ARG002 - as in its base
        with self.not_empty:
            if block and not self._closed and not self._qsize():
                self.not_empty.wait(_IDLE_SECONDS)
            if block and self._closed and not self._qsize():
                self.not_empty.wait(0.01)
            if not self._qsize():
                raise queue.Empty
            self.not_full.notify()
            return self._get()

    def close(self) -> None:
        with self.not_empty:
            self._closed = True
            self.not_empty.notify_all()


class JobQueue:
    def __init__(
        self,
        backend: Backend,
        name: str,
        handler: Callable[..., None],
        threads: int,
        overflow: OverflowSlots | None = None,
        *,
        paused: threading.Event | None = None,
    ) -> None:
        self._observer = JobObserver()
        broker = backend.broker(name, [self._observer, Retries(**_RETRIES)], paused or threading.Event())  # type: ignore[arg-type]
        self.name = name
        self._handler = handler
        self._threads = threads
        self._overflow = overflow
        self._actor = dramatiq.actor(actor_name=name, queue_name=name, broker=broker)(self._handle)
        self._worker = dramatiq.Worker(broker, worker_threads=max(1, threads), worker_timeout=_POLL_MILLISECONDS)
        self._worker.work_queue = self._work_queue = _WorkQueue()
        # Other processes cannot take prefetched messages.
        self._worker.queue_prefetch = max(1, threads)
        # Delayed messages must not block messages that are due sooner.
        self._worker.delay_prefetch = 10_000

    def _handle(self, *ids: int) -> None:
        overflow, message = self._overflow, current()
        if overflow is None or message is None:
            self._run(ids)
            return
        # A job in an overflow slot outlives its message and has its own outcome.
        job, started = dataclasses.replace(message), time.monotonic()

        def do(running_job: RunningJob) -> None:
            with running(job):
                try:
                    self._run(ids, running_job)
                except BaseException:
                    job.outcome = "error"
                    raise

        def on_late_end() -> None:
            report_end(job, time.monotonic() - started)
            if (number := overflow.next_waiting()) is not None:
                self.send(number, delay=0)

        try:
            ended = overflow.run(do, on_late_end)
            message.outcome = job.outcome if ended else "overflow"
        finally:
            message.repository = job.repository

    def _run(self, ids: tuple[int, ...], *job: RunningJob) -> None:
        try:
            self._handler(*ids, *job)
        except (StorageError, QueueError) as error:
            # Not a Dramatiq retry: an outage may last longer than a few retries.
            note_outcome("error")
            log.warning("%s %s: %s; again in %.0f s", self.name, ids, error, LATER)
            self.send(*ids, delay=LATER)

    @property
    def is_idle(self) -> bool:
        busy = self._observer.active or self._worker.work_queue.unfinished_tasks
        return not busy and (self._overflow is None or self._overflow.is_empty)

    def send(self, *ids: int, delay: float) -> None:
        """Enqueue a message. An unreachable broker is only logged."""
        try:
            self._actor.send_with_options(args=ids, delay=int(delay * 1000) or None)
        except BrokerConnectionError as error:
            log.warning("%s: no message for %s: %s", self.name, ids, error)

    def start(self) -> None:
        if self._threads:
            self._worker.start()

    def stop(self) -> None:
        if self._threads:
            self._work_queue.close()
            self._worker.stop(timeout=SHUTDOWN_MILLISECONDS)
            if self._overflow is not None:
                self._overflow.wait(SHUTDOWN_MILLISECONDS / 1000)

    def check(self) -> None:
        """Raise QueueError unless every thread is alive."""
        if self._threads and not (self._worker.workers and all(thread.is_alive() for thread in self._worker.workers)):
            raise QueueError("The workers of this process have stopped: restart it, and look at the log.")


class JobQueues:
    """Both queues of a process.

    Args:
        on_commits, on_users: handle a message.
        commit_threads, user_threads: threads per queue; 0: this process only enqueues.
        overflow: takes over slow jobs of the commit queue; None: no job is slow.
        commits_paused: while it is set, no message is taken from the commit queue.
    """

    def __init__(
        self,
        backend: Backend,
        on_commits: Callable[[int, RunningJob], None],
        on_users: Callable[[int, int, int], None],
        *,
        commit_threads: int,
        user_threads: int,
        overflow: OverflowSlots | None = None,
        commits_paused: threading.Event | None = None,
    ) -> None:
        overflow = overflow or OverflowSlots(math.inf)
        self.backend = backend
        self._commits = JobQueue(backend, COMMITS, on_commits, commit_threads, overflow, paused=commits_paused)
        self._users = JobQueue(backend, USERS, on_users, user_threads)

    def enqueue_commits(self, repository_id: int, /, *, delay: float = 0) -> None:
        self._commits.send(repository_id, delay=delay)

    def enqueue_users(self, repository_id: int, generation: int, batch: int, /, *, delay: float = 0) -> None:
        self._users.send(repository_id, generation, batch, delay=delay)

    def start(self) -> None:
        self._commits.start()
        self._users.start()

    def check(self) -> None:
        self.backend.check()
        self._commits.check()
        self._users.check()

    def is_idle(self) -> bool:
        return self._commits.is_idle and self._users.is_idle

    def stop(self) -> None:
        """Stop both queues in parallel. Unfinished work stays due in the database."""
        users = threading.Thread(target=self._users.stop, name="stop-users")
        users.start()
        self._commits.stop()
        users.join()
