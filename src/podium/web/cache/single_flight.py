"""One piece of work for all concurrent callers that want the same result."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """For one event loop at a time."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, asyncio.Future[T]] = {}
        self._waiting: Counter[asyncio.Future[T]] = Counter()

    def find(self, key: Hashable) -> asyncio.Future[T] | None:
        """The unfinished work of ``key``."""
        flight = self._flights.get(key)
        if flight is None or flight.done() or flight.get_loop() is not asyncio.get_running_loop():
            return None
        return flight

    def start(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> asyncio.Future[T]:
        """The unfinished work of ``key``, or what ``make`` starts."""
        flight = self.find(key)
        if flight is None:
            flight = self._flights[key] = asyncio.ensure_future(make())
            flight.add_done_callback(lambda done: self._forget(key, done))
        return flight

    @contextlib.contextmanager
    def waiting(self, key: Hashable, flight: asyncio.Future[T]) -> Iterator[None]:
        """Within it, the caller waits for ``flight``. The last one to leave cancels it."""
        self._waiting[flight] += 1
        try:
            yield
        finally:
            self._waiting[flight] -= 1
            if not self._waiting[flight]:
                del self._waiting[flight]
                if not flight.done():
                    # The next caller must not join what ends now.
                    self._forget(key, flight)
                    flight.cancel()

    def _forget(self, key: Hashable, flight: asyncio.Future[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if flight.done() and not flight.cancelled():
            # If every caller was cancelled, nothing else retrieves the exception.
            flight.exception()
