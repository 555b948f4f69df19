"""One request to GitHub under the budget: a slot, the call, the verdict, the report."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable

from podium.accounts.github.budget import ANONYMOUS, Refused, Slot, WaitUntil
from podium.accounts.github.client import GitHub
from podium.accounts.github.faults import judge
from podium.accounts.github.requests import Api, Request
from podium.accounts.github.token_pool import TokenPool
from podium.accounts.github.verdicts import BadToken, GiveUp, Gone, Verdict, word
from podium.errors import Interrupted, LookupFault
from podium.telemetry import metrics

# Told to whoever runs Podium: on the command line too, where other logging is silent.
notes = logging.getLogger("podium.notes")

# Seconds that a thread waits for room in the budget of our own making. What takes longer, and every limit of GitHub's,
# is a delay of the job, which holds no thread.
LONGEST_WAIT = 5.0
# A refusal ends the use of a token or of a repository, so it is believed only when it is said so often in a row: a
# server that stumbles may say so by mistake. Seconds between.
SURE = 3
BETWEEN = 1.0


class LimitInForceError(Exception):
    """Nothing may be asked before ``until`` (epoch seconds)."""

    def __init__(self, until: float) -> None:
        super().__init__(until)
        self.until = until


class NoTokenLeftError(Exception):
    """Every token was refused, by GitHub or for this repository."""


class GitHubSession:
    """The way to GitHub for one batch of work: it counts the faults in a row, and which tokens are of no use for it.

    Args:
        github: the transport.
        pool: the tokens and their budgets, or the anonymous one.
        stop: ends every wait when set.
        max_faults: faults in a row, without any progress between, after which :meth:`stumbled` gives up.
        sleep: waits so many seconds, or until ``stop``.
    """

    def __init__(
        self,
        github: GitHub,
        pool: TokenPool,
        stop: threading.Event,
        *,
        max_faults: int,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._github = github
        self._pool = pool
        self._stop = stop
        self._max_faults = max_faults
        self._sleep = sleep or stop.wait
        self._faults = 0
        self._useless: set[str] = set()
        # By token, what it is refused with, and how often in a row.
        self._refusals: dict[str, tuple[GiveUp | Gone, int]] = {}
        self._last_key = ""

    def ask(self, request: Request) -> Verdict:
        """Send ``request`` with a token that has room, until what came of it can be believed.

        The verdict is never :class:`BadToken`: another token is used then.

        Raises:
            LimitInForceError: no token has room for longer than a thread should wait.
            NoTokenLeftError: there is none that GitHub accepts.
            Interrupted: told to stop.
        """
        while True:
            slot = self._slot(request.api)
            verdict = self._sent(request, slot)
            if self._is_sure(slot.key, request, verdict):
                self._last_key = slot.key
                return verdict
            self._rest(BETWEEN * random.uniform(0.5, 1.0))  # noqa: S311 - spreads retries, no secret

    def _sent(self, request: Request, slot: Slot) -> Verdict:
        outcome = self._github.send(request.call(), None if slot.key == ANONYMOUS else slot.key)
        now = time.time()
        verdict = judge(request, outcome, now, attempt=self._faults, strikes=slot.strikes)
        metrics.add(metrics.GITHUB_REQUESTS, kind=request.kind, outcome=word(verdict.action))
        if self._pool.report(slot, verdict, now) and isinstance(verdict.action, BadToken):
            # Once a token, whoever found it out: the pool leaves it alone from now on.
            notes.error("%s (token %s).", verdict.action.reason, slot.key)
        return verdict

    def _is_sure(self, key: str, request: Request, verdict: Verdict) -> bool:
        action = verdict.action
        if isinstance(action, BadToken):
            # How often is counted by the budget, for all who use the token.
            return False
        # Of an unknown commit a window says Gone, too, and of a repository it is asked after a window said so.
        if not isinstance(action, GiveUp | Gone) or (isinstance(action, Gone) and request.api == "core"):
            self._refusals.pop(key, None)
            return True
        said, times = self._refusals.get(key, (action, 0))
        self._refusals[key] = (action, times + 1 if said == action else 1)
        return self._refusals[key][1] >= SURE

    def progressed(self) -> None:
        """Something was learnt: the faults before it count no more."""
        self._faults = 0

    def stumbled(self, after: float, reason: str) -> None:
        """Wait out a fault, ``after`` seconds give or take.

        Raises:
            LookupFault: there were too many in a row.
            Interrupted: told to stop.
        """
        self._faults += 1
        if self._faults >= self._max_faults:
            raise LookupFault(f"{reason}.")
        self._rest(after * random.uniform(0.5, 1.0))  # noqa: S311 - spreads retries, no secret

    def set_aside(self) -> None:
        """Use the token of the last request no more for this work."""
        self._useless.add(self._last_key)

    def _slot(self, api: Api) -> Slot:
        ends = time.time() + LONGEST_WAIT
        while True:
            now = time.time()
            taken = self._pool.take(now, api=api, avoid=self._useless)
            match taken:
                case Slot():
                    return taken
                case Refused():
                    raise NoTokenLeftError
                case WaitUntil(until, limited):
                    if limited or until > ends:
                        raise LimitInForceError(until)
                    self._rest(until - now)

    def _rest(self, seconds: float) -> None:
        self._sleep(seconds)
        if self._stop.is_set():
            raise Interrupted("interrupted")
