from __future__ import annotations

import ipaddress
import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request

from podium.errors import TooManyRequests


class SubmissionLimit:
    """A moving window of a minute; each process counts for itself."""

    def __init__(self, per_minute: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage()) if per_minute else None
        self._window = RateLimitItemPerMinute(max(1, per_minute))

    def take(self, request: Request) -> None:
        """Count one submission.

        Raises:
            TooManyRequests: the limit is reached.
        """
        if self._limiter is None:
            return
        client = client_of(request)
        if self._limiter.hit(self._window, client):
            return
        wait = self._limiter.get_window_stats(self._window, client).reset_time - time.time()
        seconds = max(1, math.ceil(wait))
        raise TooManyRequests(
            f"Too many submissions: the limit is {self._window.amount} per minute. Try again in {seconds} s.",
            retry_after=seconds,
        )


def client_of(request: Request) -> str:
    """An IPv4 address, or an IPv6 /64 network, which one customer usually has."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
