"""Metrics of a child process, sent to its parent: one JSON object per line on the child's standard output.

The multiprocess mode of prometheus-client would leave a file behind for each child.
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
    def write(self, line: bytes, /) -> object: ...

    def flush(self) -> object: ...


class MetricsPipe:
    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def add(self, metric: Metric, value: float, labels: Mapping[str, str]) -> None:
        self.send({"metric": metric.name, "value": value, "labels": dict(labels)})

    def observe(self, metric: Metric, values: list[float], labels: Mapping[str, str]) -> None:
        self.send({"metric": metric.name, "values": [round(value, 6) for value in values], "labels": dict(labels)})

    def send_outcome(self, job: Job) -> None:
        self.send({"outcome": job.outcome})

    def send(self, message: Mapping[str, Any]) -> None:
        # The parent may be gone; podium.workers.child ends this process then.
        with self._lock, contextlib.suppress(OSError):
            self._stream.write(json.dumps(message).encode() + b"\n")
            self._stream.flush()


def receive(line: bytes, job: Job | None) -> None:
    """Count what a child sent, in its parent; other output is ignored. ``job`` gets the child's outcome."""
    try:
        message = json.loads(line)
        outcome = message.get("outcome")
        metric = metrics.ALL.get(message.get("metric"))
        if isinstance(outcome, str) and job is not None:
            job.outcome = outcome
        if metric is not None:
            labels = {name: str(message["labels"][name]) for name in metric.labels}
            for value in message["values"] if "values" in message else [message["value"]]:
                metrics.add(metric, max(0.0, float(value)), **labels)
    except (ValueError, TypeError, KeyError, AttributeError):
        return
