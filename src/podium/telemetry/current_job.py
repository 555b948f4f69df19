"""The job of the current thread: its ids are on the log lines, and its outcome is counted."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from contextvars import ContextVar


@dataclasses.dataclass(slots=True)
class Job:
    """One message while it is processed.

    queue: the queue's name. repository: the repository's id. id: the message's id.
    outcome: how the job ended; values of the label of ``podium_jobs_total``, ``done`` unless another is noted.
    """

    queue: str
    repository: int
    id: str
    outcome: str = "done"


_thread_job: ContextVar[Job | None] = ContextVar("job", default=None)
_process_job: Job | None = None


def current() -> Job | None:
    """The job of the current thread, or else of the process."""
    return _thread_job.get() or _process_job


def note_outcome(outcome: str) -> None:
    """Set the outcome of the current job, if there is one."""
    job = current()
    if job is not None:
        job.outcome = outcome


@contextlib.contextmanager
def running(job: Job) -> Iterator[Job]:
    """Make ``job`` the current job of this thread for the length of a ``with`` block."""
    before = _thread_job.get()
    _thread_job.set(job)
    try:
        yield job
    finally:
        # Not reset(): at the end of the process, another thread may close this block for a thread that is left behind.
        _thread_job.set(before)


def set_process_job(job: Job) -> None:
    """Make ``job`` the current job of every thread of this process, which exists for it."""
    global _process_job  # noqa: PLW0603 - a process has one
    _process_job = job
