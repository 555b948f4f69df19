"""Limits of what one client may read."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from podium.errors import TooManyRequests
from podium.web.clients import NETWORK_SHARE, ClientNetwork


class EmailLookupLimit:
    """A moving window of an hour for look-ups by e-mail, where e-mails are hidden; each process counts for itself.

    Without it, a client could try addresses until one is found.
    """

    def __init__(self, per_hour: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage()) if per_hour else None
        self._window = RateLimitItemPerHour(max(1, per_hour))
        self._wider_window = RateLimitItemPerHour(NETWORK_SHARE * max(1, per_hour))

    def take(self, client: ClientNetwork) -> None:
        """Count one look-up.

        Raises:
            TooManyRequests: the limit is reached.
        """
        if self._limiter is None:
            return
        windows = [(self._window, client.key)]
        windows += [(self._wider_window, client.wider_key)] if client.wider_key else []
        full = [window for window in windows if not self._limiter.test(*window)]
        if not full:
            for window in windows:
                self._limiter.hit(*window)
            return
        wait = max(self._limiter.get_window_stats(*window).reset_time for window in full) - time.time()
        raise TooManyRequests(
            f"Too many look-ups by e-mail: this server hides e-mails, and the limit is {self._window.amount} per hour. "
            "Search by name or login, or try again later.",
            retry_after=max(1, math.ceil(wait)),
        )
