"""Doing a transaction again that the database broke off."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from podium.errors import StorageError, WrongRevision

T = TypeVar("T")

TRIES = 5
# Seconds between two tries; while the server is away a transaction waits for it by itself.
PAUSE = 1.0


def retry_transaction(do: Callable[[], T], stop: threading.Event) -> T:
    """Call ``do``, which runs one transaction that may be run twice, until the database does not break it off.

    Raises:
        StorageError: it did so again and again, or ``stop`` was set.
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
