"""A value that is costly to read, read again only once its age outweighs its cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

# A value is kept for this many times as long as it took to read, so reading takes at most a twentieth of the time.
SHARE = 20.0


class Throttled(Generic[T]):
    """Keeps the last value read. Safe in threads: they wait for one reading together.

    fresh: seconds for which a value is kept at least.
    """

    def __init__(self, *, fresh: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._fresh = fresh
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: T | None = None
        self._until = float("-inf")

    def get(self, read: Callable[[], T], *, keep: Callable[[T], bool] = lambda _: True) -> T:
        """The kept value, or else what ``read`` gives; one that ``keep`` refuses is read again the next time."""
        with self._lock:
            started = self._clock()
            if self._kept is not None and started < self._until and keep(self._kept):
                return self._kept
            value = self._kept = read()
            ended = self._clock()
            self._until = ended + max(self._fresh, SHARE * (ended - started))
            return value
