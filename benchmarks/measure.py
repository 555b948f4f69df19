"""Measure a whole command: wall-clock seconds, and the peak memory of all its processes together."""

from __future__ import annotations

import dataclasses
import resource
import statistics
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

# Seconds between two samples of a running command's memory.
LOOK_EVERY = 0.02


@dataclasses.dataclass(frozen=True)
class Measured:
    """One run.

    Attributes:
        seconds: from its start to its end.
        peak_mb: the proportional set size of the process tree in megabytes (Linux; else 0).
        status: the exit code.
        processor: seconds of processors, of all of its processes: what other work on the machine hardly changes.
    """

    seconds: float
    peak_mb: float
    processor: float = 0.0
    status: int = 0


def processor_seconds() -> float:
    """What this process and those that it has waited for have used so far, of all processors."""
    used = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def run(
    command: Sequence[str], environment: Mapping[str, str], *, watch_memory: bool = False, check: bool = True
) -> Measured:
    """Run ``command`` to its end, its output thrown away.

    Raises:
        subprocess.CalledProcessError: it failed, with ``check``; a benchmark of a failure says nothing.
    """
    start, used = time.perf_counter(), processor_seconds()
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        peak = _peak_until_done(process) if watch_memory else 0
        status = process.wait()
    seconds = time.perf_counter() - start
    if status and check:
        raise subprocess.CalledProcessError(status, command)
    return Measured(seconds, peak / 1e6, processor_seconds() - used, status)


def _peak_until_done(process: subprocess.Popen[bytes]) -> int:
    peak = 0
    waiting = threading.Event()
    while process.poll() is None:
        peak = max(peak, tree_bytes(process.pid))
        waiting.wait(LOOK_EVERY)
    return peak


def tree_bytes(pid: int) -> int:
    """The proportional set size of a process and its descendants."""
    return sum(_proportional_set_size(each) for each in _tree(pid))


def _tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(descendant for child in children for descendant in _tree(int(child)))]


def _proportional_set_size(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def processor_ratio(ours: Sequence[Measured], theirs: Sequence[Measured]) -> float:
    """Median of the ratios of processor time of runs that were taken in turn."""
    return statistics.median(a.processor / b.processor for a, b in zip(ours, theirs, strict=True))


def ratios(ours: Sequence[Measured], theirs: Sequence[Measured]) -> tuple[float, float, float]:
    """Smallest, median and largest of the ratios of runs that were taken in turn."""
    found = sorted(a.seconds / b.seconds for a, b in zip(ours, theirs, strict=True))
    return found[0], statistics.median(found), found[-1]
