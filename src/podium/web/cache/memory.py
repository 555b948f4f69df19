"""What is kept in memory between requests: one place, bounded in bytes, the least recently used goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from podium.leaderboard.board_data import Sized

Kept = TypeVar("Kept", bound=Sized)


class Cache:
    """Values by their keys. Safe to share between threads.

    A value that is larger than half of the bound is not kept, so that one giant cannot push everything else out.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._values: OrderedDict[tuple[object, ...], tuple[Any, int]] = OrderedDict()
        self._making: dict[tuple[object, ...], threading.Lock] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """About how many bytes are kept."""
        return self._bytes

    def get(self, key: tuple[object, ...]) -> Any:
        """The value of that key, or None."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def put(self, key: tuple[object, ...], value: Sized) -> None:
        """Keep a value."""
        size = value.size + 500
        with self._lock:
            self._drop(key)
            if size > self._most // 2:
                return
            self._values[key] = (value, size)
            self._bytes += size
            while self._bytes > self._most:
                self._drop(next(iter(self._values)))

    def _drop(self, key: tuple[object, ...]) -> None:
        self._bytes -= self._values.pop(key, (None, 0))[1]

    def drop(self, which: Callable[[tuple[object, ...]], bool]) -> None:
        """Forget every value whose key is ``which``."""
        with self._lock:
            for key in [key for key in self._values if which(key)]:
                self._drop(key)

    def once(self, key: tuple[object, ...], make: Callable[[], Kept]) -> Kept:
        """The value of that key; where there is none, what ``make`` makes, once for all threads that ask meanwhile."""
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
