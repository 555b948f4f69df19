from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from podium.storage.transactions import own_writes

# Seconds for which what was read may be shown while other processes change it.
FRESH = 0.5


class ReadMoment(NamedTuple):
    """When a read of the database began: by a clock, and after how many writes of this process."""

    at: float
    writes: int

    @classmethod
    def now(cls, clock: Callable[[], float] = time.monotonic) -> ReadMoment:
        return cls(clock(), own_writes.number())

    def is_fresh(self, now: float) -> bool:
        """Whether what was found then may still be shown. Changes of this process must show at once."""
        return now < self.at + FRESH and self.writes == own_writes.number()
