"""Metrics that are sent to a parent process about once a second: a line for each request would cost as much as it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Protocol

from podium.telemetry.metrics import Metric

# Seconds.
_EVERY = 1.0
# Observations of one line.
_MOST = 1_000

Labels = tuple[tuple[str, str], ...]


class Sender(Protocol):
    def add(self, metric: Metric, value: float, labels: Mapping[str, str]) -> None: ...

    def observe(self, metric: Metric, values: list[float], labels: Mapping[str, str]) -> None: ...


class BatchedMetrics:
    """A sink in front of ``sender``, from :meth:`start` to :meth:`stop`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._lock = threading.Lock()
        self._counts: Counter[tuple[Metric, Labels]] = Counter()
        self._observed: dict[tuple[Metric, Labels], list[float]] = {}
        self._stopped = threading.Event()

    def add(self, metric: Metric, value: float, labels: Mapping[str, str]) -> None:
        key = metric, tuple(labels.items())
        with self._lock:
            if metric.kind == "counter":
                self._counts[key] += value  # type: ignore[assignment] # seconds, too
            else:
                self._observed.setdefault(key, []).append(value)

    def start(self) -> None:
        threading.Thread(target=self._run, name="metrics", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        self.flush()

    def _run(self) -> None:
        while not self._stopped.wait(_EVERY):
            self.flush()

    def flush(self) -> None:
        """Send what was counted until now."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            observed, self._observed = self._observed, {}
        for (metric, labels), value in counts.items():
            self._sender.add(metric, value, dict(labels))
        for (metric, labels), values in observed.items():
            for start in range(0, len(values), _MOST):
                self._sender.observe(metric, values[start : start + _MOST], dict(labels))
