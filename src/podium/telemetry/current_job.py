"""The job under way in this thread: what its log lines carry, and how it ended."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from contextvars import ContextVar


@dataclasses.dataclass(slots=True)
class Job:
    """One message being worked off.

    queue: its queue. repository: the number of the repository. id: the message's.
    outcome: how it ended, a word of a small set: ``done`` until somebody notes another.
    """

    queue: str
    repository: int
    id: str
    outcome: str = "done"


_current: ContextVar[Job | None] = ContextVar("job", default=None)
# Of a process that exists for one job: all of its threads work on it.
_of_process: Job | None = None


def current() -> Job | None:
    """The job that this thread works on."""
    return _current.get() or _of_process


def note_outcome(outcome: str) -> None:
    """Say how the job under way ends; nothing where there is none."""
    job = current()
    if job is not None:
        job.outcome = outcome


@contextlib.contextmanager
def running(job: Job) -> Iterator[Job]:
    """``job`` is what this thread works on, for the length of a ``with`` block."""
    before = _current.get()
    _current.set(job)
    try:
        yield job
    finally:
        # Not reset(): a thread that the process does not wait for is cleared away by another at its end.
        _current.set(before)


def run_in_whole_process(job: Job) -> None:
    """``job`` is what this process works on, in all of its threads, to its end."""
    global _of_process  # noqa: PLW0603 - a process has one
    _of_process = job
