"""The number of writes of this process: what was read before the latest may lack a change that its own client made."""

from __future__ import annotations

import threading

_lock = threading.Lock()
_number = 0


def note() -> None:
    """A transaction that may write was committed."""
    global _number  # noqa: PLW0603 - a process has one database
    with _lock:
        _number += 1


def number() -> int:
    """It changes with each write of this process."""
    return _number
