"""The `process_…` metrics, of a process and all that it started: an operator runs them as one.

A process of a tree that ends takes its memory along, but not its CPU time, which its parent keeps. Linux only.
"""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client import ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_OWN = ("process_start_time_seconds", "process_max_fds")
_PAGE = resource.getpagesize()


class ProcessTree(Collector):
    def collect(self) -> Iterable[Metric]:
        own = [family for family in ProcessCollector(registry=None).collect() if family.name in _OWN]
        if not own:
            return
        yield from own
        cpu, virtual, resident, files = map(sum, zip(*map(_used, _pids(os.getpid())), strict=True))
        yield CounterMetricFamily("process_cpu_seconds_total", "CPU time of the process and all that it started.", cpu)
        for name, doc, value in (
            ("process_virtual_memory_bytes", "Virtual memory of the process and all that it started.", virtual),
            ("process_resident_memory_bytes", "Resident memory of the process and all that it started.", resident),
            ("process_open_fds", "Open files of the process and all that it started.", files),
        ):
            yield GaugeMetricFamily(name, doc, value)


def _pids(root: int) -> Iterator[int]:
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        yield pid
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                waiting += map(int, children.read_text().split())


def _used(pid: int) -> tuple[float, float, float, float]:
    """CPU seconds (also of children that have ended), bytes of virtual and resident memory, open files."""
    folder = Path(f"/proc/{pid}")
    # It may have ended.
    try:
        words = (folder / "stat").read_bytes().rpartition(b")")[2].split()
        files = sum(1 for _ in (folder / "fd").iterdir())
    except OSError:
        return 0.0, 0.0, 0.0, 0.0
    ticks = os.sysconf("SC_CLK_TCK")
    return sum(map(int, words[11:15])) / ticks, float(words[20]), float(words[21]) * _PAGE, float(files)
