"""A costly value, read again only when its age outweighs its cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

# Reading takes at most a twentieth of the time.
SHARE = 20.0


class Throttled(Generic[T]):
    """Keeps the last value, for ``fresh`` seconds at least. Concurrent threads share one read."""

    def __init__(self, *, fresh: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._fresh = fresh
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: T | None = None
        self._until = float("-inf")

    def get(self, read: Callable[[], T], *, keep: Callable[[T], bool] = lambda _: True) -> T:
        """Read the value unless it is kept and ``keep`` accepts it."""
        with self._lock:
            started = self._clock()
            if self._kept is not None and started < self._until and keep(self._kept):
                return self._kept
            value = self._kept = read()
            ended = self._clock()
            self._until = ended + max(self._fresh, SHARE * (ended - started))
            return value
