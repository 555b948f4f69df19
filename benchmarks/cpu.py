"""CPU time used by process trees, from /proc (Linux)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from tests.support.processes import descendants

_TICKS = os.sysconf("SC_CLK_TCK")


def used(roots: Mapping[str, int]) -> dict[str, float]:
    """Seconds that each tree has used so far, by the name of its first process.

    Of processes that have ended it has what was waited for by their parents.
    """
    return {name: sum(map(_used, (pid, *descendants(pid)))) for name, pid in roots.items()}


def own_and_childrens(pids: list[int]) -> tuple[float, float]:
    """Seconds that some processes have used themselves, and those of the children that they have waited for."""
    times = [_times(pid) for pid in pids]
    return sum(user + system for user, system, _, _ in times), sum(sum(each[2:]) for each in times)


def _used(pid: int) -> float:
    return sum(_times(pid))


def _times(pid: int) -> tuple[float, float, float, float]:
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        user, system, children_user, children_system = (int(word) / _TICKS for word in words[11:15])
        return user, system, children_user, children_system
    return 0.0, 0.0, 0.0, 0.0
