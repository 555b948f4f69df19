"""The job of the current thread: its ids are on the log lines, and its outcome is counted."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from contextvars import ContextVar


@dataclasses.dataclass(slots=True)
class Job:
    """``outcome`` is a value of the label of ``podium_jobs_total``."""

    queue: str
    repository: int
    id: str
    outcome: str = "done"


_thread_job: ContextVar[Job | None] = ContextVar("job", default=None)
_process_job: Job | None = None


def current() -> Job | None:
    return _thread_job.get() or _process_job


def note_outcome(outcome: str) -> None:
    job = current()
    if job is not None:
        job.outcome = outcome


@contextlib.contextmanager
def running(job: Job) -> Iterator[Job]:
    before = _thread_job.get()
    _thread_job.set(job)
    try:
        yield job
    finally:
        # Not reset(): another thread may close this block, for a thread left behind at the end of the process.
        _thread_job.set(before)


def set_process_job(job: Job) -> None:
    global _process_job  # noqa: PLW0603 - a process has one
    _process_job = job
