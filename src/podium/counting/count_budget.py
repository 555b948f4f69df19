"""The memory and the CPU time that one count may use.

A count checks its CPU time itself, and ends in order. The operating system's limits also hold in C code and where
Python's code does not look; they count per process, so each counting process serves one count at a time.
"""

from __future__ import annotations

import dataclasses
import math
import os
import resource
import time
from collections.abc import Callable

from podium.errors import HistoryError

# Seconds of CPU time until the operating system ends a process that did not end the count itself.
_GRACE = 10


@dataclasses.dataclass(frozen=True, slots=True)
class Budget:
    """Bytes of private memory, and seconds of CPU time of the process and its children; None: no limit."""

    memory: int | None = None
    cpu_seconds: float | None = None

    def limit_process(self) -> None:
        """Limit this process for its next count.

        Beyond the memory, Python raises MemoryError. Beyond the CPU time, SIGXCPU ends the process. Processes that it
        starts inherit both. Only soft limits are set: they can be raised for the next count, and for git.
        """
        if self.memory is not None:
            _set_soft_limit(resource.RLIMIT_DATA, self.memory)
        if self.cpu_seconds is not None:
            # SIGXCPU would leave a file as large as the memory.
            _set_soft_limit(resource.RLIMIT_CORE, 0)
            _set_soft_limit(resource.RLIMIT_CPU, math.ceil(time.process_time() + self.cpu_seconds) + _GRACE)

    def start(self) -> CpuMeter:
        return CpuMeter(self.cpu_seconds)

    def memory_exceeded(self) -> HistoryError:
        allowed = "there is" if self.memory is None else f"the {self.memory} bytes allowed"
        return HistoryError("too-large", f"Counting needs more memory than {allowed} (PODIUM_COUNT_MEMORY).")

    def cpu_time_exceeded(self) -> HistoryError:
        return _cpu_time_exceeded(self.cpu_seconds)


NO_BUDGET = Budget()


def _cpu_time_exceeded(seconds: float | None) -> HistoryError:
    allowed = "is" if seconds is None else f"the {seconds:g} seconds"
    return HistoryError("too-large", f"Counting takes more CPU time than {allowed} allowed (PODIUM_COUNT_CPU_SECONDS).")


def _cpu_time() -> float:
    """Seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class CpuMeter:
    def __init__(self, seconds: float | None, clock: Callable[[], float] = _cpu_time) -> None:
        self._seconds = seconds
        self._clock = clock
        self._started = clock()

    def check(self) -> None:
        """Raise HistoryError ('too-large') if the time is used up."""
        if self._seconds is not None and self._clock() - self._started > self._seconds:
            raise _cpu_time_exceeded(self._seconds)


def _set_soft_limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
