"""Jobs that take long, set aside: they go on beside the queue, and the thread that began one takes the next message.

One giant would otherwise keep everybody waiting who comes behind it. Its message is gone then, and need not be there:
the lease keeps it, and where the process dies the reconciler rings again.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

_LOOK_EVERY = 0.5


class Aside:
    """Room for ``most`` jobs that have taken longer than ``after`` seconds."""

    def __init__(self, after: float, most: int = 1) -> None:
        self._after = after
        self._room = threading.Semaphore(most)
        self._running: set[threading.Thread] = set()

    @property
    def is_empty(self) -> bool:
        """Whether no job is set aside."""
        return not self._running

    def run(self, do: Callable[[], None], on_late_end: Callable[[], None] = lambda: None) -> bool:
        """Run ``do``; whether it has ended. False: it goes on, set aside, and ``on_late_end`` is called in the end.

        Raises:
            Exception: whatever ``do`` raised; where it was set aside by then, that is only logged.
        """
        job = _Job(do)
        started = time.monotonic()
        context = contextvars.copy_context()
        thread = threading.Thread(target=self._work, args=(job, context, on_late_end), name="job", daemon=True)
        thread.start()
        while not job.ended.wait(_LOOK_EVERY if time.monotonic() - started < self._after else _LOOK_EVERY * 4):
            if time.monotonic() - started >= self._after and self._room.acquire(blocking=False):
                self._running.add(thread)
                if job.set_aside():
                    log.info("it takes long, and goes on beside the others")
                    return False
                self._leave(thread)
        if job.error is not None:
            raise job.error
        return True

    def _work(self, job: _Job, context: contextvars.Context, on_late_end: Callable[[], None]) -> None:
        if job.work(context):
            try:
                on_late_end()
            finally:
                self._leave(threading.current_thread())

    def _leave(self, thread: threading.Thread) -> None:
        self._running.discard(thread)
        self._room.release()

    def wait(self, seconds: float) -> None:
        """Wait until those that are set aside have ended, at most so long: they were told to stop."""
        deadline = time.monotonic() + seconds
        for thread in list(self._running):
            thread.join(max(0.0, deadline - time.monotonic()))


class _Job:
    def __init__(self, do: Callable[[], None]) -> None:
        self.ended = threading.Event()
        self.error: BaseException | None = None
        self._do = do
        self._lock = threading.Lock()
        self._is_aside = False

    def set_aside(self) -> bool:
        """Nobody waits for it any more; False where it has ended meanwhile."""
        with self._lock:
            self._is_aside = not self.ended.is_set()
            return self._is_aside

    def work(self, context: contextvars.Context) -> bool:
        """Do it; whether it was set aside by the time it ended."""
        error: BaseException | None = None
        try:
            context.run(self._do)
        except BaseException as raised:  # noqa: BLE001 - raised again by whoever waits, else logged
            error = raised
        with self._lock:
            self.error = error
            self.ended.set()
            aside = self._is_aside
        if aside and error is not None:
            log.error("a job that was set aside failed", exc_info=error)
        return aside
