"""The time that a job still needs, if its speed is even enough to tell."""

from __future__ import annotations

from collections import deque

# Seconds of work that the speed is taken from.
_WINDOW = 30.0
_BETWEEN_SAMPLES = 0.5
# Estimates of these last seconds must agree within this factor, or there is none.
_STEADY_SECONDS = 5.0
_STEADY_AFTER = 3.0
_AGREEMENT = 1.5
# Each sample moves the estimate by this part of the way to the new one.
_STEP = 0.2


class RemainingTime:
    """An estimate that follows the work smoothly, and that is missing while the work is too uneven for one."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque()
        self._ends: deque[tuple[float, float]] = deque()
        self._end: float | None = None

    def note(self, now: float, share: float) -> None:
        """``share``: of the work that is done, 0 to 1; less than before if it begins again."""
        if self._samples and share < self._samples[-1][1]:
            self._samples.clear()
            self._ends.clear()
            self._end = None
        if self._samples and now - self._samples[-1][0] < _BETWEEN_SAMPLES:
            return
        self._samples.append((now, share))
        while len(self._samples) > 2 and now - self._samples[0][0] > _WINDOW:
            self._samples.popleft()
        (began, first), (ended, last) = self._samples[0], self._samples[-1]
        if last <= first:
            return
        end = now + (1 - last) * (ended - began) / (last - first)
        self._ends.append((now, end))
        while now - self._ends[0][0] > _STEADY_SECONDS:
            self._ends.popleft()
        self._end = end if self._end is None or not self._is_steady(now) else self._end + _STEP * (end - self._end)

    def seconds(self, now: float) -> float | None:
        """Seconds left; None if that is unknown."""
        if self._end is None or not self._is_steady(now) or self._end <= now:
            return None
        return self._end - now

    def _is_steady(self, now: float) -> bool:
        if now - self._ends[0][0] < _STEADY_AFTER:
            return False
        left = [max(1.0, end - now) for _, end in self._ends]
        return max(left) <= _AGREEMENT * min(left)
