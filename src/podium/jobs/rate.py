"""The rate and the remaining time of a job, estimated from its progress."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

# Seconds of progress that an estimate uses at most, and at least.
_WINDOW = 30.0
_MINIMUM = 1.5
_BETWEEN_SAMPLES = 0.5


class RateEstimator:
    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque()
        self._phase: object = None

    def note(self, now: float, progress: Mapping[str, Any] | None) -> None:
        progress = progress or {}
        phase, done = (progress.get("stage"), progress.get("phase")), _done(progress)
        if phase != self._phase or (self._samples and done is not None and done < self._samples[-1][1]):
            self._phase = phase
            self._samples.clear()
        if done is None:
            return
        if not self._samples or now - self._samples[-1][0] >= _BETWEEN_SAMPLES:
            self._samples.append((now, done))
        while len(self._samples) > 2 and now - self._samples[0][0] > _WINDOW:
            self._samples.popleft()

    def rate(self) -> float | None:
        """Return commits, accounts or percent per second; None if unknown."""
        if len(self._samples) < 2:
            return None
        (began, first), (ended, last) = self._samples[0], self._samples[-1]
        return (last - first) / (ended - began) if ended - began >= _MINIMUM and last > first else None

    def seconds_left(self, progress: Mapping[str, Any] | None, known_total: int | None = None) -> float | None:
        """``known_total``: commits of the previous count."""
        rate, progress = self.rate(), progress or {}
        done, total = _done(progress), _total(progress, known_total)
        if rate is None or done is None or total is None or done >= total:
            return None
        return (total - done) / rate


def _done(progress: Mapping[str, Any]) -> float | None:
    # A streamed clone has both percent and commits, and ends at 100 percent.
    for name in ("done", "percent", "commits"):
        if isinstance(progress.get(name), int | float):
            return float(progress[name])
    return None


def _total(progress: Mapping[str, Any], known_total: int | None) -> float | None:
    if isinstance(progress.get("total"), int | float):
        return float(progress["total"])
    if "percent" in progress:
        return 100.0
    return float(known_total) if known_total and "commits" in progress else None
