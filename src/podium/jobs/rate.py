"""The rate of a job, estimated from its progress."""

from __future__ import annotations

from collections import deque

# Seconds of progress that an estimate uses at most, and at least.
_WINDOW = 30.0
_MINIMUM = 1.5
_BETWEEN_SAMPLES = 0.5


class RateEstimator:
    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque()

    def note(self, now: float, done: float) -> None:
        """``done``: less than before if the work begins again."""
        if self._samples and done < self._samples[-1][1]:
            self._samples.clear()
        if not self._samples or now - self._samples[-1][0] >= _BETWEEN_SAMPLES:
            self._samples.append((now, done))
        while len(self._samples) > 2 and now - self._samples[0][0] > _WINDOW:
            self._samples.popleft()

    def rate(self) -> float | None:
        """Return how much is done per second; None if unknown."""
        if len(self._samples) < 2:
            return None
        (began, first), (ended, last) = self._samples[0], self._samples[-1]
        return (last - first) / (ended - began) if ended - began >= _MINIMUM and last > first else None
