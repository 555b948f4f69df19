"""What a child process counts, told to its parent: a JSON object a line on the child's standard output.

A child counts one repository and is gone. Files shared between processes, as prometheus-client has them for web servers
that fork, would be left behind by each of them; a pipe leaves nothing, and what a killed child told before stays told.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Mapping
from typing import Any, Protocol

from podium.telemetry import metrics
from podium.telemetry.current_job import Job
from podium.telemetry.metrics import Metric


class Stream(Protocol):
    """What a child tells to."""

    def write(self, line: bytes, /) -> object: ...

    def flush(self) -> object: ...


class Teller:
    """In the child: a sink that writes to ``stream``."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def add(self, metric: Metric, value: float, labels: Mapping[str, str]) -> None:
        self._tell({"metric": metric.name, "value": value, "labels": dict(labels)})

    def tell_outcome(self, job: Job) -> None:
        """Tell how the child's job ended."""
        self._tell({"outcome": job.outcome})

    def _tell(self, entry: Mapping[str, Any]) -> None:
        # A parent that is gone hears nothing; what this process does about that is jobs/child.py's business.
        with self._lock, contextlib.suppress(OSError):
            self._stream.write(json.dumps(entry).encode() + b"\n")
            self._stream.flush()


def hear(line: bytes, job: Job | None) -> None:
    """In the parent: count what a child told; anything else on its output is nobody's business.

    Args:
        line: one line of the child's output.
        job: the parent's own, whose outcome is the child's.
    """
    try:
        entry = json.loads(line)
        outcome = entry.get("outcome")
        metric = metrics.ALL.get(entry.get("metric"))
        if isinstance(outcome, str) and job is not None:
            job.outcome = outcome
        if metric is not None:
            labels = {name: str(entry["labels"][name]) for name in metric.labels}
            metrics.add(metric, max(0.0, float(entry["value"])), **labels)
    except (ValueError, TypeError, KeyError, AttributeError):
        return
