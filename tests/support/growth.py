"""How work grows with its size, so that no test compares seconds with a limit."""

from __future__ import annotations

import time
from collections.abc import Callable

_TOO_SHORT_TO_MEASURE = 0.0005


def growth(work: Callable[[int], object], size: int) -> float:
    """How many times the CPU time of ``work(size)`` that ``work(2 * size)`` takes, each at its best of five."""
    small, large = (min(_cpu_seconds(work, each) for _ in range(5)) for each in (size, 2 * size))
    return large / max(small, _TOO_SHORT_TO_MEASURE)


def _cpu_seconds(work: Callable[[int], object], size: int) -> float:
    started = time.thread_time()
    work(size)
    return time.thread_time() - started
