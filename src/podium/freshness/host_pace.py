"""Checks of the repositories of one host, one after the other and not more often than it should be asked.

The pace is kept in the memory of the process that runs the schedule, of which there is one at a time. A process that
begins waits for as long as the one before it might have.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from podium.repositories.model import Repository

# Seconds for which one turn of a host may begin checks: its rows stay claimed for longer.
_TURN = 60.0
# Repositories of one turn.
_MOST = 50
# Seconds until a host that gave no answer is asked again; they double up to the second number.
_SILENT, _LONGEST_SILENT = 600.0, 7200.0


@dataclasses.dataclass(frozen=True, slots=True)
class Turn:
    """``now``: what is checked now. ``later``: seconds until each of the others, by id."""

    now: list[Repository]
    later: dict[int, float]


class HostPace:
    """Thread-safe.

    Args:
        interval: seconds between two checks.
    """

    def __init__(self, interval: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = interval
        self._clock = clock
        self._next_at = clock() + interval
        self._calendar = self._next_at
        self._silences = 0
        self._is_busy = False
        self._lock = threading.Lock()

    def begin(self, due: Sequence[Repository]) -> Turn:
        """Begin a turn, which :meth:`end` ends if it has anything to check now."""
        with self._lock:
            now = self._clock()
            first = max(self._next_at, now)
            room = 0 if self._is_busy else min(_MOST, int((_TURN - (first - now)) / self._interval) + 1)
            if first - now > _TURN / 10:
                room = 0
            chosen = list(due[: max(0, room)])
            self._is_busy = self._is_busy or bool(chosen)
            self._calendar = max(self._calendar, first + len(chosen) * self._interval)
            return Turn(chosen, self._waits(due[len(chosen) :], now))

    def _waits(self, rows: Iterable[Repository], now: float) -> dict[int, float]:
        """A moment of its own for each, so that none of them is met before its time."""
        waits = {}
        for row in rows:
            waits[row.id] = self._calendar - now
            self._calendar += self._interval
        return waits

    def wait(self, stop: threading.Event) -> bool:
        """Wait until the host may be asked; return False if ``stop`` was set."""
        with self._lock:
            now = self._clock()
            seconds = max(0.0, self._next_at - now)
            self._next_at = max(self._next_at, now) + self._interval
        return not stop.wait(seconds)

    def note_answer(self) -> None:
        self._silences = 0

    def note_silence(self) -> None:
        """The host did not answer: it is left alone for a while."""
        with self._lock:
            silent = min(_LONGEST_SILENT, _SILENT * 2.0 ** min(self._silences, 10))
            self._silences += 1
            self._next_at = self._calendar = max(self._next_at, self._clock() + silent)

    def end(self, left: Sequence[Repository] = ()) -> dict[int, float]:
        """End a turn; return the seconds until each of what is ``left`` of it, by id."""
        with self._lock:
            self._is_busy = False
            now = self._clock()
            self._calendar = max(self._calendar, self._next_at)
            return self._waits(left, now)
