from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

from cachetools import LRUCache

from podium.errors import TooManyRequests
from podium.repositories.fair_queue import NETWORK_SHARE
from podium.web.clients import ClientNetwork

# Wrong tokens of one client in WINDOW seconds. Beyond it, no token of this client is compared.
MOST_WRONG = 10
WINDOW = 60.0
MOST_CLIENTS = 10_000
# Refusals of one kind that one process records in WINDOW seconds, of all clients: sign-ins in the audit log (its own
# log has all), deliveries in its log.
MOST_RECORDED = 10


class WrongTokens:
    """When the latest clients sent their latest wrong tokens. For one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: LRUCache[str, deque[float]] = LRUCache(MOST_CLIENTS)

    def __len__(self) -> int:
        return len(self._times)

    def note(self, client: ClientNetwork) -> None:
        for key, most in _limits(client):
            times = self._times.get(key)
            if times is None:
                times = self._times[key] = deque(maxlen=most)
            times.append(self._clock())

    def wait(self, client: ClientNetwork) -> int:
        """Seconds until a token of this client is compared again; 0: now."""
        now, wait = self._clock(), 0.0
        for key, most in _limits(client):
            times = self._times.get(key)
            if times is not None and len(times) == most:
                wait = max(wait, times[0] + WINDOW - now)
        return math.ceil(wait)


class RefusalTimes:
    """When this process recorded its latest refusals of one kind."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=MOST_RECORDED)

    def may_record(self) -> bool:
        """Whether another one may be recorded; this counts it."""
        now = self._clock()
        if len(self._times) == MOST_RECORDED and now - self._times[0] < WINDOW:
            return False
        self._times.append(now)
        return True


def _limits(client: ClientNetwork) -> list[tuple[str, int]]:
    wider = [(client.wider_key, MOST_WRONG * NETWORK_SHARE)] if client.wider_key else []
    return [(client.key, MOST_WRONG), *wider]


def too_many_wrong(wait: int) -> TooManyRequests:
    return TooManyRequests(f"Too many wrong tokens from this client: try again in {wait} s.", wait)
