"""Overflow slots: a slow count moves off its worker thread, so that one thread or more is always there for quick ones.

The move acknowledges the job's message. The job keeps its lease, and if the process dies, the reconciler enqueues it.

When no slot is free, a slow count makes way: as soon as a quick repository of another client waits for a thread, the
count is stopped and its lease released, without an attempt. The repository is slow from then on, and is counted again
when a slot is free. A count is not paused instead (SIGSTOP): it would keep its memory, its connection, and perhaps a
lock of the database. What git has fetched completely is kept.
"""

from __future__ import annotations

import contextvars
import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Protocol

from podium.repositories.model import Repository

log = logging.getLogger(__name__)

# Seconds between checks of a job in a thread.
CHECK_SECONDS = 0.5
# Seconds between two jobs of this process that make way.
MAKE_WAY_SECONDS = 2.0


class SlowPolicy(Protocol):
    def may_overflow(self, repository: Repository, /) -> bool:
        """Note that the count of ``repository`` is slow; return False if its client has enough slow ones already."""

    def must_make_way(self, repository: Repository, /) -> bool:
        """Return whether a quick repository of another client waits; if so, ``repository`` becomes slow."""

    def next_waiting(self) -> int | None:
        """Return the slow repository that may be counted next."""


class OverflowSlots:
    """Slots for slow jobs: those that have run for ``after`` seconds, and those of slow repositories.

    Args:
        size: how many may run off their thread.
        threads: the number of worker threads.
        policy: None: every slow job may move, and none makes way.
    """

    def __init__(self, after: float, size: int = 1, *, threads: int = 1, policy: SlowPolicy | None = None) -> None:
        self._after = after
        self._size = size
        self._threads = threads
        self._policy = policy
        self._lock = threading.Lock()
        self._in_threads = 0
        self._moving = threading.Lock()
        self._making_way = threading.Lock()
        self._last_stopped: RunningJob | None = None
        self._made_way_at = -math.inf
        self._moved: set[threading.Thread] = set()

    @property
    def is_empty(self) -> bool:
        return not self._moved

    @property
    def has_room(self) -> bool:
        return len(self._moved) < self._size

    def next_waiting(self) -> int | None:
        return self._policy.next_waiting() if self._policy is not None else None

    def run(self, do: Callable[[RunningJob], None], on_late_end: Callable[[], None] = lambda: None) -> bool:
        """Run ``do`` until it ends or moves to a slot; return whether it has ended.

        An error is raised, or logged if the job has moved. ``on_late_end`` is called after a moved job.
        """
        job = RunningJob(do)
        context = contextvars.copy_context()
        thread = threading.Thread(target=self._work, args=(job, context, on_late_end), name="job", daemon=True)
        self._count_thread(1)
        try:
            thread.start()
            while not job.ended.wait(CHECK_SECONDS):
                if job.is_slow(self._after) and self._moves(job, thread):
                    log.info("moved off the worker thread: the job takes long")
                    return False
        finally:
            self._count_thread(-1)
        if job.error is not None:
            raise job.error
        return True

    def _count_thread(self, number: int) -> None:
        with self._lock:
            self._in_threads += number

    def _moves(self, job: RunningJob, thread: threading.Thread) -> bool:
        repository, policy = job.repository, self._policy
        if policy is not None and repository is None:
            # It still asks the database which one to count.
            return False
        # One at a time: a job that may not move holds a slot while it asks, and another one would make way for nothing.
        with self._moving:
            if self._enter(thread):
                if (policy is None or repository is None or policy.may_overflow(repository)) and job.move():
                    return True
                self._leave(thread)
        if policy is None or repository is None or job.stop.is_set() or self._in_threads < self._threads:
            return False
        self._make_way(job, repository, policy)
        return False

    def _make_way(self, job: RunningJob, repository: Repository, policy: SlowPolicy) -> None:
        if not self._making_way.acquire(blocking=False):
            return
        try:
            last = self._last_stopped
            # Its thread may not have taken the waiting repository yet.
            is_recent = time.monotonic() - self._made_way_at < MAKE_WAY_SECONDS
            if is_recent or (last is not None and not last.ended.is_set()):
                return
            if policy.must_make_way(repository):
                self._last_stopped, self._made_way_at = job, time.monotonic()
                log.info("repository %d: slow, stopped for those that wait; it is counted again later", repository.id)
                job.stop.set()
        finally:
            self._making_way.release()

    def _enter(self, thread: threading.Thread) -> bool:
        with self._lock:
            if not self.has_room:
                return False
            self._moved.add(thread)
            return True

    def _leave(self, thread: threading.Thread) -> None:
        with self._lock:
            self._moved.discard(thread)

    def _work(self, job: RunningJob, context: contextvars.Context, on_late_end: Callable[[], None]) -> None:
        if job.work(context):
            self._leave(threading.current_thread())
            on_late_end()

    def wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for thread in list(self._moved):
            thread.join(max(0.0, deadline - time.monotonic()))


class RunningJob:
    """A job in its thread. ``do`` sets ``repository`` once it has one, and ends when ``stop`` is set."""

    def __init__(self, do: Callable[[RunningJob], None] = lambda _: None) -> None:
        self.repository: Repository | None = None
        self.stop = threading.Event()
        self.ended = threading.Event()
        self.error: BaseException | None = None
        self._do = do
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._moved = False

    def is_slow(self, after: float) -> bool:
        is_known = self.repository is not None and self.repository.is_slow
        return is_known or time.monotonic() - self._started >= after

    def move(self) -> bool:
        with self._lock:
            self._moved = not self.ended.is_set()
            return self._moved

    def work(self, context: contextvars.Context) -> bool:
        """Return whether the job moved before it ended."""
        error: BaseException | None = None
        try:
            context.run(self._do, self)
        except BaseException as raised:  # noqa: BLE001 - raised by the waiting thread, or logged
            error = raised
        with self._lock:
            self.error = error
            self.ended.set()
            moved = self._moved
        if moved and error is not None:
            log.error("a job in an overflow slot failed", exc_info=error)
        return moved
