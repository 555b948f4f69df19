"""Limits per client over a sliding window: https://limits.readthedocs.io/en/stable/strategies.html#sliding-window-counter

Not the moving window: it keeps a key per client for good.
"""

from __future__ import annotations

import math
import time

from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage
from limits.strategies import SlidingWindowCounterRateLimiter

from podium.errors import TooManyRequests
from podium.repositories.fair_queue import NETWORK_SHARE
from podium.web.clients import ClientNetwork
from podium.web.shared_state import SharedOrOwn


class Counters:
    """Counts what clients do.

    Args:
        shared: of all processes; it wraps its exceptions. Without it, and while it is away, each process has its own.
        either: for :class:`limits.errors.StorageError`.
    """

    def __init__(self, shared: Storage | None = None, either: SharedOrOwn | None = None) -> None:
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared = SlidingWindowCounterRateLimiter(shared) if shared else None
        self._either = either or SharedOrOwn(StorageError)

    def take(self, claims: list[tuple[RateLimitItem, str]], cost: int) -> tuple[RateLimitItem, float] | None:
        """Count ``cost`` for every key, if each has room for it under its limit.

        Returns:
            The limit that has no room, and the time (seconds since the epoch) at which to try again.
        """
        if self._shared is None:
            return _take(self._own, claims, cost)
        shared = self._shared
        return self._either.ask(lambda: _take(shared, claims, cost), lambda: _take(self._own, claims, cost))


def _take(
    limiter: SlidingWindowCounterRateLimiter, claims: list[tuple[RateLimitItem, str]], cost: int
) -> tuple[RateLimitItem, float] | None:
    # Both are tested first: a refused client must not use up its network's limit, nor a refused network its client's.
    for take in (limiter.test, limiter.hit):
        for limit, key in claims:
            if not take(limit, key, cost=cost):
                return limit, limiter.get_window_stats(limit, key).reset_time
    return None


class ClientLimit:
    """A limit for each client, and :data:`NETWORK_SHARE` times as much for the /48 network around it.

    Args:
        limit: an amount per time, with a namespace of its own; an amount of 0: no limit.
        what: what is counted, in the plural.
        advice: what a client can do beyond the limit, as a sentence.
    """

    def __init__(self, counters: Counters, limit: RateLimitItem, what: str, advice: str = "") -> None:
        self._counters = counters
        self._limit = limit
        self._wider = type(limit)(limit.amount * NETWORK_SHARE, limit.multiples, limit.namespace)
        self._what = what
        self._advice = advice

    def take(self, client: ClientNetwork, cost: int = 1) -> None:
        """Count ``cost``. It may wait for Redis, so an event loop calls it in a thread.

        Raises:
            TooManyRequests: a limit is reached.
        """
        if not self._limit.amount:
            return
        claims = [(self._limit, client.key)]
        if client.wider_key is not None:
            claims.insert(0, (self._wider, client.wider_key))
        refusal = self._counters.take(claims, cost)
        if refusal is None:
            return
        limit, again_at = refusal
        whose = "" if limit is self._limit else f" from your network ({client.wider_key})"
        seconds = max(1, math.ceil(again_at - time.time()))
        advice = f" {self._advice}" if self._advice else ""
        raise TooManyRequests(
            f"Too many {self._what}{whose}: the limit is {limit.amount} per {limit.GRANULARITY.name}.{advice} "
            f"Try again in {seconds} s.",
            retry_after=seconds,
        )
