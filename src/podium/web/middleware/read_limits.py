"""Limits of what one client may read."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from podium.errors import TooManyRequests


class EmailLookupLimit:
    """A moving window of an hour for look-ups by e-mail, where e-mails are hidden; each process counts for itself.

    Without it, a client could try addresses until one is found.
    """

    def __init__(self, per_hour: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage()) if per_hour else None
        self._window = RateLimitItemPerHour(max(1, per_hour))

    def take(self, client: str) -> None:
        """Count one look-up.

        Raises:
            TooManyRequests: the limit is reached.
        """
        if self._limiter is None or self._limiter.hit(self._window, client):
            return
        wait = self._limiter.get_window_stats(self._window, client).reset_time - time.time()
        raise TooManyRequests(
            f"Too many look-ups by e-mail: this server hides e-mails, and the limit is {self._window.amount} per hour. "
            "Search by name or login, or try again later.",
            retry_after=max(1, math.ceil(wait)),
        )
