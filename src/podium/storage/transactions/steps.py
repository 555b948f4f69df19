"""Large changes in bounded transactions, so that no other writer waits long."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from podium.errors import Interrupted
from podium.storage.session import Session

T = TypeVar("T")

# One bounded transaction.
Step = Callable[[Session], object]

# Rows of one step that are loaded at once, and those that need a statement each.
STEP_ROWS = 2000
STEP_STATEMENTS = 1000
EMAILS_PER_QUERY = 500

# SQLite has one writer at a time, and does not queue the others: they look every few milliseconds. So after this much
# work the lock is left free for longer than that.
_WORK_SECONDS = 0.1
_PAUSE_SECONDS = 0.015


def chunked(items: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(items)
    while chunk := list(itertools.islice(left, size)):
        yield chunk


def run_steps(
    begin: Callable[[], contextlib.AbstractContextManager[Session]], steps: Iterable[Step], stop: threading.Event
) -> None:
    """Run each of ``steps`` in its own transaction.

    Raises:
        Interrupted: ``stop`` was set; the steps before it are saved.
    """
    worked = 0.0
    for step in steps:
        if worked >= _WORK_SECONDS:
            stop.wait(_PAUSE_SECONDS)
            worked = 0.0
        if stop.is_set():
            raise Interrupted("interrupted")
        with begin() as session:
            started = time.monotonic()
            step(session)
        worked += time.monotonic() - started
