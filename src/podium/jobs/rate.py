"""How fast the work goes and how long it will take, from how far it was at some moments. No I/O."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any

# Seconds that a pace looks back, and from which on it may be believed.
_LOOK_BACK = 30.0
_ENOUGH = 1.5


class Pace:
    """The pace of one repository's work."""

    def __init__(self) -> None:
        self._moments: deque[tuple[float, float]] = deque()
        self._phase: object = None

    def note(self, now: float, progress: Mapping[str, Any] | None) -> None:
        """Note how far the work is at ``now`` (seconds of any clock)."""
        progress = progress or {}
        phase, done = (progress.get("stage"), progress.get("phase")), _done(progress)
        if phase != self._phase or (self._moments and done is not None and done < self._moments[-1][1]):
            self._phase = phase
            self._moments.clear()
        if done is None:
            return
        if not self._moments or now - self._moments[-1][0] >= 0.5:
            self._moments.append((now, done))
        while len(self._moments) > 2 and now - self._moments[0][0] > _LOOK_BACK:
            self._moments.popleft()

    def rate(self) -> float | None:
        """Commits, accounts or percent in a second; None while that cannot be said."""
        if len(self._moments) < 2:
            return None
        (began, first), (ended, last) = self._moments[0], self._moments[-1]
        return (last - first) / (ended - began) if ended - began >= _ENOUGH and last > first else None

    def seconds_left(self, progress: Mapping[str, Any] | None, known_total: int | None = None) -> float | None:
        """Seconds that this phase will still take; ``known_total``: the commits of the last count, if there was one."""
        rate, progress = self.rate(), progress or {}
        done, total = _done(progress), _total(progress, known_total)
        if rate is None or done is None or total is None or done >= total:
            return None
        return (total - done) / rate


class Paces:
    """The paces of the repositories that were looked at lately. Safe to share between threads."""

    def __init__(self, most: int = 1_000) -> None:
        self._most = most
        self._paces: OrderedDict[int, Pace] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, number: int, now: float, progress: Mapping[str, Any] | None) -> Pace:
        """The pace of repository ``number``, this moment included."""
        with self._lock:
            pace = self._paces.setdefault(number, Pace())
            self._paces.move_to_end(number)
            pace.note(now, progress)
            if len(self._paces) > self._most:
                self._paces.popitem(last=False)
        return pace


def _done(progress: Mapping[str, Any]) -> float | None:
    # Of a clone that is counted while it arrives both are known: it ends with its last percent.
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
