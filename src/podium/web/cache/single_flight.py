"""One task for all concurrent callers that want the same result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """For one event loop at a time."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[T]] = {}

    def start(self, key: Hashable, make: Callable[[], Coroutine[None, None, T]]) -> asyncio.Task[T]:
        loop = asyncio.get_running_loop()
        task = self._tasks.get(key)
        if task is None or task.done() or task.get_loop() is not loop:
            task = self._tasks[key] = loop.create_task(make())
            task.add_done_callback(lambda done: self._forget(key, done))
        return task

    async def run(self, key: Hashable, make: Callable[[], Coroutine[None, None, T]]) -> T:
        """The result of :meth:`start`. A cancelled caller does not cancel the task."""
        return await asyncio.shield(self.start(key, make))

    def _forget(self, key: Hashable, done: asyncio.Task[T]) -> None:
        if self._tasks.get(key) is done:
            del self._tasks[key]
        if not done.cancelled():
            # If every caller was cancelled, nothing else retrieves the exception.
            done.exception()
