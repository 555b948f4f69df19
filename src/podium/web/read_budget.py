"""The budget of what one client reads.

A budget is in milliseconds of CPU time: the interpreter runs one thread at a time, so others wait for what one client
uses. Each process has budgets of its own.
"""

from __future__ import annotations

import dataclasses
import math
import threading
import time
from collections.abc import Callable, Iterator

from cachetools import LRUCache

from podium.errors import TooManyRequests
from podium.repositories.fair_queue import NETWORK_SHARE
from podium.web.clients import ClientNetwork

# Costly reads of one client that may run or wait at a time: a browser opens six connections.
MAX_IN_PROGRESS = 8
# A client saves up at most this part of a minute's budget: with a larger one, it could occupy the server for longer.
SAVED = 2
# One answer counts as at most this part of what a client can save up: ten windows a minute of the largest board are
# within the budget.
LARGEST_SHARE = 12
# Milliseconds of a small answer that is made in the event loop.
SMALL = 1.0
# Milliseconds of each repository that a list may have, besides.
LISTED = 0.1
# Seconds until a refusal is sent, so that a client that ignores it does not occupy the event loop.
REFUSAL_DELAY = 0.25

_MAX_CLIENTS = 50_000


@dataclasses.dataclass(slots=True)
class _Account:
    """The credit of one client, which is below zero after work that cost more than was left."""

    credit: float
    at: float
    in_progress: int = 0


class ReadBudget:
    """A token bucket for each client, in milliseconds of CPU time. Thread-safe.

    A client may start work as long as it has credit. The cost is known and subtracted when the work ends. Clients on
    loopback have no budget.

    Args:
        per_minute: the credit that a client gets per minute, of which it saves up to half; 0: no limit.
        clock: in seconds.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._accounts: LRUCache[str, _Account] = LRUCache(_MAX_CLIENTS)
        self._lock = threading.Lock()

    def start(self, client: ClientNetwork) -> None:
        """Begin costly work, until :meth:`end`.

        Raises:
            TooManyRequests: the client has no credit, or as much work in progress as it may have.
        """
        with self._lock:
            accounts = list(self._accounts_of(client))
            for account, share in accounts:
                self._check(account, share)
                if account.in_progress >= MAX_IN_PROGRESS * share:
                    raise TooManyRequests("Your other requests are still being answered: wait for them.", 1)
            for account, _ in accounts:
                account.in_progress += 1

    def end(self, client: ClientNetwork, milliseconds: float) -> None:
        with self._lock:
            for account, _ in self._accounts_of(client):
                account.in_progress = max(0, account.in_progress - 1)
                account.credit -= min(milliseconds, self._per_minute / SAVED / LARGEST_SHARE)

    def spend(self, client: ClientNetwork, milliseconds: float) -> None:
        """Subtract a cost that is known before.

        Raises:
            TooManyRequests: the client has no credit.
        """
        with self._lock:
            for account, share in self._accounts_of(client):
                self._check(account, share)
                account.credit -= milliseconds

    def _accounts_of(self, client: ClientNetwork) -> Iterator[tuple[_Account, int]]:
        """The accounts of a client and of the network around it, and how many clients' budget each has."""
        if not self._per_minute or client.is_loopback:
            return
        yield self._account(client.key, 1), 1
        if client.wider_key:
            yield self._account(client.wider_key, NETWORK_SHARE), NETWORK_SHARE

    def _account(self, key: str, share: int) -> _Account:
        now, per_minute = self._clock(), float(self._per_minute * share)
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = _Account(per_minute / SAVED, now)
        account.credit = min(per_minute / SAVED, account.credit + (now - account.at) * per_minute / 60)
        account.at = now
        return account

    def _check(self, account: _Account, share: int) -> None:
        if account.credit > 0:
            return
        seconds = max(1, math.ceil(-account.credit * 60 / (self._per_minute * share)))
        raise TooManyRequests(
            "Too many new windows, searches, files or explanations: each client of this server may use only a part of "
            f"its time. Try again in {seconds} s.",
            seconds,
        )
