"""Locks between processes that end with their holder (``flock``)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from podium.errors import Interrupted
from podium.git.limits import Stop

_TRY_EVERY = 0.1


@contextlib.contextmanager
def locked(path: Path, stop: Stop | None = None) -> Iterator[None]:
    """Wait for the lock file.

    Raises:
        Interrupted: ``stop`` was set while waiting.
    """
    while (lock := _take(path)) is None:
        if stop is not None and stop.is_set():
            raise Interrupted("The work on the repository was stopped.")
        time.sleep(_TRY_EVERY)
    try:
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def if_free(path: Path) -> Iterator[bool]:
    """Yield whether the lock file was free and is held now."""
    lock = _take(path)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)


def _take(path: Path) -> int | None:
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        # The last holder may have removed the file, and such a lock excludes no process.
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(lock).st_ino:
                return lock
        os.close(lock)
