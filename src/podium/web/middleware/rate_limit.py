from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from podium.errors import TooManyRequests
from podium.web.clients import ClientNetwork


class SubmissionLimit:
    """A moving window of a minute; each process counts for itself."""

    def __init__(self, per_minute: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage()) if per_minute else None
        self._window = RateLimitItemPerMinute(max(1, per_minute))

    def take(self, client: ClientNetwork) -> None:
        """Count one submission.

        Raises:
            TooManyRequests: the limit is reached.
        """
        if self._limiter is None:
            return
        if self._limiter.hit(self._window, client.key):
            return
        wait = self._limiter.get_window_stats(self._window, client.key).reset_time - time.time()
        seconds = max(1, math.ceil(wait))
        raise TooManyRequests(
            f"Too many submissions: the limit is {self._window.amount} per minute. Try again in {seconds} s.",
            retry_after=seconds,
        )
