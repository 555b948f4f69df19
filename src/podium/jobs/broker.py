"""Dramatiq, set up once: the embedded engine, whose workers are threads of this process.

One broker a queue: counting commits and looking users up are then scaled, filled and stopped apart.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import dramatiq
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Retries

from podium.errors import QueueError
from podium.jobs.observe import Observe
from podium.jobs.queues import COMMITS, USERS

log = logging.getLogger(__name__)

# For faults of the engine's own surroundings, such as a database that is busy. What goes wrong with a repository is
# decided by podium.jobs.retry and kept in the database; beyond these retries the reconciler rings again.
_RETRIES = {"max_retries": 3, "min_backoff": 1_000, "max_backoff": 10_000}

SHUTDOWN_MILLISECONDS = 7_000


class EmbeddedQueue:
    """One queue and the threads that work it off."""

    def __init__(self, name: str, handler: Callable[..., None], threads: int) -> None:
        self._observe = Observe()
        self._broker = StubBroker(middleware=[self._observe, Retries(**_RETRIES)])  # type: ignore[arg-type]
        self._actor = dramatiq.actor(actor_name=name, queue_name=name, broker=self._broker)(handler)
        self._worker = dramatiq.Worker(self._broker, worker_threads=threads, worker_timeout=200)

    def send(self, *ids: int, delay: float) -> None:
        """Enqueue a message of ids, to be worked off in ``delay`` seconds at the earliest."""
        self._actor.send_with_options(args=ids, delay=int(delay * 1000) or None)

    def start(self) -> None:
        """Start the threads."""
        self._worker.start()

    def stop(self) -> None:
        """Wait for what is in hand, at most seven seconds, and end the threads."""
        self._worker.stop(timeout=SHUTDOWN_MILLISECONDS)

    @property
    def running(self) -> bool:
        """Whether every thread is there to take messages."""
        return bool(self._worker.workers) and all(thread.is_alive() for thread in self._worker.workers)


class EmbeddedEngine:
    """Both queues in this process. It is also the ring: ringing puts a message on one of them."""

    def __init__(
        self,
        on_commits: Callable[[int], None],
        on_users: Callable[[int, int, int], None],
        *,
        commit_workers: int,
        user_workers: int,
    ) -> None:
        self._commits = EmbeddedQueue(COMMITS, on_commits, commit_workers)
        self._users = EmbeddedQueue(USERS, on_users, user_workers)

    def commits(self, repository_id: int, /, *, delay: float = 0) -> None:
        """Ring the commit queue."""
        self._commits.send(repository_id, delay=delay)

    def users(self, repository_id: int, generation: int, batch: int, /, *, delay: float = 0) -> None:
        """Ring the user queue."""
        self._users.send(repository_id, generation, batch, delay=delay)

    def start(self) -> None:
        """Start the workers."""
        self._commits.start()
        self._users.start()

    def check(self) -> None:
        """Return when both queues are being worked off.

        Raises:
            QueueError: they are not.
        """
        if not (self._commits.running and self._users.running):
            raise QueueError("The workers of this process have stopped: restart it, and look at the log.")

    def stop(self) -> None:
        """Stop the workers; what they do not finish stays due in the database."""
        self._commits.stop()
        self._users.stop()
