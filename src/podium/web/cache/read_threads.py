"""The threads that make answers: a few, because they share one interpreter with the event loop, and a bounded queue."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from podium.errors import ReaderGone, TooManyRequests

T = TypeVar("T")

# Work at a time, and work that waits for it.
THREADS = 2
MAX_WAITING = 64
# Seconds until a client that found the queue full should ask again.
_ASK_AGAIN = 2

# Raises ReaderGone if the answer is no longer wanted.
Check = Callable[[], None]


class ReadThreads:
    """Runs costly reads. Work that is cancelled while it waits never starts; running work sees it at its next check.

    Args:
        cpu_clock: the CPU time of the calling thread, in seconds.
    """

    def __init__(self, cpu_clock: Callable[[], float] = time.thread_time) -> None:
        self._cpu_clock = cpu_clock
        self._executor = ThreadPoolExecutor(THREADS, "reads")
        self._lock = threading.Lock()
        self.pending = 0

    def check_room(self) -> None:
        """Raise TooManyRequests if the queue is full."""
        if self.pending >= THREADS + MAX_WAITING:
            raise TooManyRequests("The server is busy: try again in a moment.", _ASK_AGAIN)

    def submit(self, work: Callable[[Check], T], ended: Callable[[float], None]) -> asyncio.Future[T]:
        """Start ``work`` soon. The caller has called :meth:`check_room`.

        Args:
            ended: called once, from any thread, with the CPU time in seconds.
        """
        stop = threading.Event()
        spent = [0.0]

        def check() -> None:
            if stop.is_set():
                raise ReaderGone

        def run() -> T:
            check()
            began = self._cpu_clock()
            try:
                return work(check)
            finally:
                spent[0] = self._cpu_clock() - began

        def leave(_: object) -> None:
            with self._lock:
                self.pending -= 1
            ended(spent[0])

        def cancelled(future: asyncio.Future[T]) -> None:
            if future.cancelled():
                stop.set()

        with self._lock:
            self.pending += 1
        running = self._executor.submit(run)
        running.add_done_callback(leave)
        future = asyncio.wrap_future(running)
        future.add_done_callback(cancelled)
        return future
