"""The two queues, and the protocols for using them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Literal, Protocol

from podium.repositories.model import State

COMMITS = "commit-processing"
USERS = "user-processing"

STATES = {
    COMMITS: tuple(state for state in State if state.stage == "commits"),
    USERS: tuple(state for state in State if state.stage == "users"),
}

# One request to GitHub contains this many e-mails.
BATCH_SIZE = 50


@dataclasses.dataclass(frozen=True, slots=True)
class Depth:
    """The number of messages in one queue.

    active: a worker has them. dead: dropped after the last retry, kept for operators.
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
    """Enqueues messages, due in ``delay`` seconds. Without a queue nothing is raised: the reconciler finds due work."""

    def enqueue_commits(self, repository_id: int, /, *, delay: float = 0) -> None: ...

    def enqueue_users(self, repository_id: int, generation: int, batch: int, /, *, delay: float = 0) -> None: ...


class Backlog(Protocol):
    """What the reconciler reads. Methods raise QueueError if the queues are away."""

    def waiting(self, *queues: str) -> int:
        """Return the number of messages that wait for a worker, without delayed ones."""

    def is_fresh(self) -> bool:
        """Whether the queues are new or have lost their messages since :meth:`note_filled`."""

    def note_filled(self) -> None: ...


# What one process does for all with the same queues. The last one: the schedule and the checks of hooks, while no
# process does them that works on the user queue.
Task = Literal["reconciler", "cleanup", "schedule", "schedule-stand-in"]


class SharedBacklog(Backlog, Protocol):
    def leads(self, task: Task, seconds: float, /) -> bool:
        """Whether this process, of all with these queues, does a task; if so, for ``seconds``."""

    def has_leader(self, task: Task, /) -> bool:
        """Whether any process does a task."""

    def stop_leading(self) -> None:
        """Let other processes do the tasks at once."""


class QueueMonitor(Protocol):
    """The operator's view. Methods raise QueueError if the queues are away. ``source``: ``memory`` or ``redis``."""

    @property
    def source(self) -> str: ...

    def depths(self) -> Mapping[str, Depth]: ...

    def forget_dead(self, repository_ids: Collection[int] | None, /) -> int:
        """Delete dead messages of the given repositories, or (None) of all; return their number."""


@dataclasses.dataclass(frozen=True, slots=True)
class NullQueues:
    """Drops every message: the command line does the work itself."""

    def enqueue_commits(self, repository_id: int, /, *, delay: float = 0) -> None: ...

    def enqueue_users(self, repository_id: int, generation: int, batch: int, /, *, delay: float = 0) -> None: ...
