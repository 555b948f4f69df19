"""A clock that skips waits: while all who work by it sleep, it jumps to the time at which the first of them wakes."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from unittest import mock


class SkippingClock:
    """Shows the machine's time, and what has been skipped.

    workers: the threads that sleep by it; it skips only when all of them do.
    """

    def __init__(self, workers: int = 1) -> None:
        self._machine_time = time.time
        self._skipped = 0.0
        self._workers = workers
        self._wakes: list[float] = []
        self._changed = threading.Condition()

    def time(self) -> float:
        return self._machine_time() + self._skipped

    def sleep_until(self, wake: float) -> None:
        with self._changed:
            self._wakes.append(wake)
            self._skip()
            while (left := wake - self.time()) > 0:
                self._changed.wait(left)
            self._wakes.remove(wake)

    def leave(self) -> None:
        """One of the workers has ended."""
        with self._changed:
            self._workers -= 1
            self._skip()

    def _skip(self) -> None:
        if self._wakes and len(self._wakes) == self._workers:
            self._skipped += max(0.0, min(self._wakes) - self.time())
            self._changed.notify_all()

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Let all of this process read it as ``time.time()``."""
        with mock.patch("time.time", self.time):
            yield
