"""The overflow slot: a long job moves off the worker thread, which then takes the next message.

The move acknowledges the job's message. The job keeps its lease, and if the process dies, the reconciler enqueues it.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

# Seconds between checks: whether a job must move; whether the slot is free for it.
_CHECK_SECONDS = 0.5
_CHECK_SLOT_SECONDS = 2.0


class OverflowSlot:
    """A slot for ``size`` jobs that have run for ``after`` seconds."""

    def __init__(self, after: float, size: int = 1) -> None:
        self._after = after
        self._free = threading.Semaphore(size)
        self._running: set[threading.Thread] = set()

    @property
    def is_empty(self) -> bool:
        return not self._running

    def run(self, do: Callable[[], None], on_late_end: Callable[[], None] = lambda: None) -> bool:
        """Run ``do`` until it ends or moves to the slot; return whether it has ended.

        An error is raised, or logged if the job has moved. ``on_late_end`` is called when a moved job ends.
        """
        job = _RunningJob(do)
        started = time.monotonic()
        context = contextvars.copy_context()
        thread = threading.Thread(target=self._work, args=(job, context, on_late_end), name="job", daemon=True)
        thread.start()
        while not job.ended.wait(_CHECK_SECONDS if time.monotonic() - started < self._after else _CHECK_SLOT_SECONDS):
            if time.monotonic() - started >= self._after and self._free.acquire(blocking=False):
                self._running.add(thread)
                if job.move():
                    log.info("moved off the worker thread: the job takes long")
                    return False
                self._leave(thread)
        if job.error is not None:
            raise job.error
        return True

    def _work(self, job: _RunningJob, context: contextvars.Context, on_late_end: Callable[[], None]) -> None:
        if job.work(context):
            try:
                on_late_end()
            finally:
                self._leave(threading.current_thread())

    def _leave(self, thread: threading.Thread) -> None:
        self._running.discard(thread)
        self._free.release()

    def wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for thread in list(self._running):
            thread.join(max(0.0, deadline - time.monotonic()))


class _RunningJob:
    def __init__(self, do: Callable[[], None]) -> None:
        self.ended = threading.Event()
        self.error: BaseException | None = None
        self._do = do
        self._lock = threading.Lock()
        self._moved = False

    def move(self) -> bool:
        with self._lock:
            self._moved = not self.ended.is_set()
            return self._moved

    def work(self, context: contextvars.Context) -> bool:
        """Return whether the job moved before it ended."""
        error: BaseException | None = None
        try:
            context.run(self._do)
        except BaseException as raised:  # noqa: BLE001 - raised by the waiting thread, or logged
            error = raised
        with self._lock:
            self.error = error
            self.ended.set()
            moved = self._moved
        if moved and error is not None:
            log.error("a job in the overflow slot failed", exc_info=error)
        return moved
