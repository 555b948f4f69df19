"""A memory cache bounded in bytes, which evicts the least recently used values."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from cachetools import LRUCache

from podium.leaderboard.board_data import Sized

Kept = TypeVar("Kept", bound=Sized)
Key = tuple[object, ...]

# Bytes per entry, roughly.
_OVERHEAD = 500


class MemoryCache:
    """Safe to share between threads.

    A value above half of ``max_bytes`` is not kept, so that one cannot evict all others.
    """

    def __init__(self, max_bytes: int) -> None:
        self._values: LRUCache[Key, Any] = LRUCache(max_bytes, getsizeof=_size_of)
        self._making: dict[Key, threading.Lock] = {}
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        return int(self._values.currsize)

    def get(self, key: Key) -> Any:
        with self._lock:
            # `get` would hash the key twice.
            try:
                return self._values[key]
            except KeyError:
                return None

    def put(self, key: Key, value: Sized) -> None:
        with self._lock:
            self._values.pop(key, None)
            if _size_of(value) <= self._values.maxsize // 2:
                self._values[key] = value

    def drop(self, which: Callable[[Key], bool]) -> None:
        with self._lock:
            for key in [key for key in self._values if which(key)]:
                del self._values[key]

    def once(self, key: Key, make: Callable[[], Kept]) -> Kept:
        """The value of ``key``, or of ``make``, which runs once for all waiting threads."""
        found: Kept | None = self.get(key)
        if found is not None:
            return found
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        try:
            with making:
                found = self.get(key)
                if found is None:
                    found = make()
                    self.put(key, found)
        finally:
            with self._lock:
                self._making.pop(key, None)
        return found


def _size_of(value: Sized) -> int:
    return value.size + _OVERHEAD
