"""How work grows with its size, so that no test compares seconds with a limit."""

from __future__ import annotations

import time
from collections.abc import Callable

_TOO_SHORT_TO_MEASURE = 0.0005
# Rounds that a quiet machine needs, and those that a busy one gets.
_FEWEST, _MOST = 3, 40
# Work in proportion to its size takes twice as long, and some of that is noise.
_IN_PROPORTION = 2.4


def growth(work: Callable[[int], object], size: int) -> float:
    """How many times the CPU time of ``work(size)`` that ``work(2 * size)`` takes, each at its best.

    More rounds follow while it looks like more than in proportion, which it does not stay on a busy machine.
    """
    small = large = float("inf")
    for number in range(1, _MOST + 1):
        # In turn: a machine that is busy for a moment slows both.
        small, large = min(small, _cpu_seconds(work, size)), min(large, _cpu_seconds(work, 2 * size))
        if number >= _FEWEST and large / max(small, _TOO_SHORT_TO_MEASURE) < _IN_PROPORTION:
            break
    return large / max(small, _TOO_SHORT_TO_MEASURE)


def _cpu_seconds(work: Callable[[int], object], size: int) -> float:
    started = time.thread_time()
    work(size)
    return time.thread_time() - started
