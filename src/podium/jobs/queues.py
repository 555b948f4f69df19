"""The two queues, and the protocols through which they are used.

A message carries ids only and may arrive twice, late or never: the database knows what has to be done.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Protocol

from podium.repositories.model import State

COMMITS = "commit-processing"
USERS = "user-processing"

# The states of the repositories that each queue is for.
STATES = {
    COMMITS: tuple(state for state in State if state.stage == "commits"),
    USERS: tuple(state for state in State if state.stage == "users"),
}

# E-mails per message of the user queue: as many as one request to GitHub asks about.
BATCH_SIZE = 50


@dataclasses.dataclass(frozen=True, slots=True)
class Depth:
    """The number of messages in one queue.

    waiting: for a worker. active: taken by a worker. delayed: not due yet. dead: dropped after the last retry, and kept
    for a while for people to look at; the reconciler enqueues their repositories again.
    """

    waiting: int = 0
    active: int = 0
    delayed: int = 0
    dead: int = 0

    def __add__(self, other: Depth) -> Depth:
        return Depth(
            self.waiting + other.waiting,
            self.active + other.active,
            self.delayed + other.delayed,
            self.dead + other.dead,
        )


class Queues(Protocol):
    """Enqueues. No error if the queue is away: the reconciler finds in the database what is due."""

    def enqueue_commits(self, repository_id: int, /, *, delay: float = 0) -> None:
        """Enqueue a repository whose commits are to be counted, in ``delay`` seconds at the earliest."""

    def enqueue_users(self, repository_id: int, generation: int, batch: int, /, *, delay: float = 0) -> None:
        """Enqueue one batch of a repository's e-mails for the lookup, in ``delay`` seconds at the earliest."""


class Backlog(Protocol):
    """What the reconciler reads from the queues."""

    def waiting(self, *queues: str) -> int:
        """The number of messages that wait for a worker in ``queues``, without delayed ones.

        Raises:
            QueueError: the queues cannot be read.
        """

    def is_fresh(self) -> bool:
        """Whether the queues are new or have lost their messages, since the last :meth:`note_filled`.

        Raises:
            QueueError: the queues cannot be read.
        """

    def note_filled(self) -> None:
        """Remember that everything that was due is enqueued.

        Raises:
            QueueError: the queues cannot be written.
        """


class QueueMonitor(Protocol):
    """What an operator sees and does.

    source: where the messages are: ``memory`` (of this process) or ``redis``.
    """

    @property
    def source(self) -> str: ...

    def depths(self) -> Mapping[str, Depth]:
        """The number of messages in each queue.

        Raises:
            QueueError: the queues cannot be read.
        """

    def forget_dead(self, repository_ids: Collection[int] | None, /) -> int:
        """Delete the dead messages of some repositories, or (None) of all; return how many there were.

        Raises:
            QueueError: the queues cannot be written.
        """


@dataclasses.dataclass(frozen=True, slots=True)
class NullQueues:
    """Queues that drop every message: for the command line, which does the work itself."""

    def enqueue_commits(self, repository_id: int, /, *, delay: float = 0) -> None:
        """Do nothing."""

    def enqueue_users(self, repository_id: int, generation: int, batch: int, /, *, delay: float = 0) -> None:
        """Do nothing."""
