"""The two queues, and how to ring them.

A message carries ids only, and may arrive twice, late or never: what is to be done stands in the database.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Protocol

COMMITS = "commit-processing"
USERS = "user-processing"

# E-mails in one message of the user queue: as many as GitHub is asked about in one request.
BATCH_SIZE = 50


@dataclasses.dataclass(frozen=True, slots=True)
class Depth:
    """The messages of one queue.

    waiting: for a worker. active: taken by one. delayed: not before their time. dead: given up by the engine, kept for
    a while to be looked at; what they were about stands in the database and is rung again.
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
    """What a room may ask of the queues."""

    def enqueue_commits(self, repository_id: int, /, *, delay: float = 0) -> None:
        """Ask for a repository's commits to be counted, in ``delay`` seconds at the earliest."""

    def enqueue_users(self, repository_id: int, generation: int, batch: int, /, *, delay: float = 0) -> None:
        """Ask for one batch of a repository's e-mails to be looked up, in ``delay`` seconds at the earliest."""


class Backlog(Protocol):
    """What the reconciler asks of the queues."""

    def waiting(self, *queues: str) -> int:
        """How many messages of ``queues`` nobody has taken yet, delayed ones not counted.

        Raises:
            QueueError: the queues cannot be asked.
        """

    def is_fresh(self) -> bool:
        """Whether nothing that was rung before :meth:`note_filled` is in them: they are new, or have lost everything.

        Raises:
            QueueError: the queues cannot be asked.
        """

    def note_filled(self) -> None:
        """Remember that everything due has been rung.

        Raises:
            QueueError: the queues cannot be told.
        """


class QueueMonitor(Protocol):
    """What an operator may ask of the queues.

    source: where they are: ``memory`` (of this process) or ``redis``.
    """

    @property
    def source(self) -> str: ...

    def depths(self) -> Mapping[str, Depth]:
        """The messages of each queue.

        Raises:
            QueueError: the broker does not answer.
        """

    def forget_dead(self, repository_ids: Collection[int] | None, /) -> int:
        """Drop the dead messages about some repositories, or (None) about all; give how many there were.

        Raises:
            QueueError: the broker does not answer.
        """


@dataclasses.dataclass(frozen=True, slots=True)
class NullQueues:
    """A ring that nobody hears: for the command line, which does the work itself."""

    def enqueue_commits(self, repository_id: int, /, *, delay: float = 0) -> None:
        """Do nothing."""

    def enqueue_users(self, repository_id: int, generation: int, batch: int, /, *, delay: float = 0) -> None:
        """Do nothing."""
