"""What an open page asks for now and then, to follow a refresh that it did not start.

Each visible page asks, so that an idle reader costs no connection: every two seconds where pushes are reported to this
server, and every 15 seconds elsewhere; every second while the repository is counted. The more pages ask, the longer the
pauses are that the answers prescribe.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from podium.repositories.model import Repository

# Seconds between two questions of a page: while its repository is counted, where a push may come at any time (a board
# shows it within five seconds), and otherwise.
COUNTING, PUSHED, QUIET = 1.0, 2.0, 15.0
# Questions per second of one process, above which pauses grow, and seconds over which they are counted.
MOST_PER_SECOND = 100.0
PERIOD = 10.0


class Pauses:
    """How long pages wait before they ask again. Its calls belong to one thread.

    Args:
        takes_pushes: this server receives webhooks.
        clock: as ``time.monotonic``.
    """

    def __init__(self, *, takes_pushes: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self.idle = PUSHED if takes_pushes else QUIET
        self._clock = clock
        self._period = 0
        self._asked = 0
        self._factor = 1.0

    def after(self, row: Repository) -> float:
        """Count a question about ``row``; return the seconds until the next one of the same page."""
        period = int(self._clock() // PERIOD)
        if period != self._period:
            # What was asked, at pauses that the last factor made longer.
            rate = self._asked / PERIOD if period == self._period + 1 else 0.0
            self._factor = max(1.0, self._factor * rate / MOST_PER_SECOND)
            self._period, self._asked = period, 0
        self._asked += 1
        return round(self._factor * (COUNTING if row.state.is_unfinished else self.idle), 1)
