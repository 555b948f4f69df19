"""How work grows with its size, so that no test compares seconds with a limit."""

from __future__ import annotations

import time
from collections.abc import Callable

_TOO_SHORT_TO_MEASURE = 0.0005


def growth(work: Callable[[int], object], size: int) -> float:
    """How many times the CPU time of ``work(size)`` that ``work(2 * size)`` takes, each at its best of seven."""
    # In turn: a machine that is busy for a moment slows both.
    times = [(_cpu_seconds(work, size), _cpu_seconds(work, 2 * size)) for _ in range(7)]
    small, large = min(each[0] for each in times), min(each[1] for each in times)
    return large / max(small, _TOO_SHORT_TO_MEASURE)


def _cpu_seconds(work: Callable[[int], object], size: int) -> float:
    started = time.thread_time()
    work(size)
    return time.thread_time() - started
