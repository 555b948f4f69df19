"""Retry a transaction that the database aborted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from podium.errors import StorageError, WrongRevision

T = TypeVar("T")

# Seconds from the first fault to the last try. While the server is away, the transaction itself waits for it.
TOTAL = 60.0
# Seconds between two tries: each pause is twice as long as the one before.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 8.0


def retry_transaction(do: Callable[[], T], stop: threading.Event, *, clock: Callable[[], float] = time.monotonic) -> T:
    """Call ``do``, which runs one repeatable transaction, until it succeeds.

    Raises:
        StorageError: it failed for :data:`TOTAL` seconds, or ``stop`` was set. The caller leaves the work to another
            worker or to later.
    """
    pause = FIRST_PAUSE
    deadline: float | None = None
    while True:
        try:
            return do()
        except WrongRevision:
            raise
        except StorageError:
            now = clock()
            deadline = now + TOTAL if deadline is None else deadline
            if now + pause > deadline or stop.wait(pause):
                raise
            pause = min(LONGEST_PAUSE, 2 * pause)
