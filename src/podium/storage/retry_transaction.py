"""Retry a transaction that the database aborted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from podium.errors import StorageError, WrongRevision

T = TypeVar("T")

TRIES = 5
# Seconds. While the server is away, the transaction itself waits for it.
PAUSE = 1.0


def retry_transaction(do: Callable[[], T], stop: threading.Event) -> T:
    """Call ``do``, which runs one repeatable transaction, until it succeeds.

    Raises:
        StorageError: the last of several tries failed, or ``stop`` was set.
    """
    for _ in range(TRIES - 1):
        try:
            return do()
        except WrongRevision:
            raise
        except StorageError:
            if stop.wait(PAUSE):
                raise
    return do()
