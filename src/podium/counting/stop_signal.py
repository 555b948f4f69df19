from __future__ import annotations

import threading
import time

# The first event ends a wait immediately; the second is polled.
_LOOK_EVERY = 0.1


class StopSignal(threading.Event):
    """Set while one of two events is set, such as the caller's stop and the loss of the lease."""

    def __init__(self, stop: threading.Event, lost: threading.Event) -> None:
        super().__init__()
        self._stop = stop
        self._lost = lost

    def is_set(self) -> bool:
        return self._stop.is_set() or self._lost.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        ends = float("inf") if timeout is None else time.monotonic() + timeout
        while not self.is_set() and (left := ends - time.monotonic()) > 0:
            self._stop.wait(min(left, _LOOK_EVERY))
        return self.is_set()
