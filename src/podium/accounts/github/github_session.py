from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable

from podium.accounts.github.budget import ANONYMOUS, Slot, TokenRefused, WaitUntil
from podium.accounts.github.client import GitHub
from podium.accounts.github.faults import BadToken, GiveUp, Gone, Verdict, judge, outcome_label
from podium.accounts.github.requests import Api, GitHubRequest
from podium.accounts.github.token_pool import TokenPool
from podium.errors import Interrupted, LookupFault
from podium.telemetry import metrics

# Shown by the command line even where it shows no other log.
notes = logging.getLogger("podium.notes")

# Seconds that a thread waits for our own budget. Longer waits and every limit of GitHub delay the job instead.
MAX_THREAD_WAIT = 5.0
# A faulty server may refuse by mistake, so a refusal counts after this many in a row.
CONFIRMATIONS = 3
CONFIRM_DELAY = 1.0


class LimitInForceError(Exception):
    """Send no request before ``until`` (epoch seconds)."""

    def __init__(self, until: float) -> None:
        super().__init__(until)
        self.until = until


class NoTokenLeftError(Exception):
    pass


class GitHubSession:
    """Sends requests for one batch of e-mails.

    Args:
        stop: ends every wait when set.
        max_faults: consecutive faults without progress after which :meth:`note_fault` gives up.
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
        self._excluded: set[str] = set()
        # By token: its last refusal, and the number of equal ones in a row.
        self._refusals: dict[str, tuple[GiveUp | Gone, int]] = {}
        self._last_key = ""

    def ask(self, request: GitHubRequest) -> Verdict:
        """Send ``request``, and confirm a refusal by repeating it.

        The verdict is never :class:`BadToken`.

        Raises:
            LimitInForceError: every token has to wait for longer than a thread should.
            NoTokenLeftError: GitHub accepts no token.
            Interrupted: ``stop`` was set.
        """
        while True:
            slot = self._take_slot(request.api)
            verdict = self.send(request, slot)
            if self._is_confirmed(slot.key, request, verdict):
                self._last_key = slot.key
                return verdict
            self._wait(CONFIRM_DELAY * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    def note_progress(self) -> None:
        self._faults = 0

    def note_fault(self, seconds: float, reason: str) -> None:
        """Count a fault and wait ``seconds``, with jitter.

        Raises:
            LookupFault: too many in a row.
            Interrupted: ``stop`` was set.
        """
        self._faults += 1
        if self._faults >= self._max_faults:
            raise LookupFault(f"{reason}.")
        self._wait(seconds * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    def exclude_token(self) -> None:
        """Stop using the last request's token for this work."""
        self._excluded.add(self._last_key)

    def send(self, request: GitHubRequest, slot: Slot) -> Verdict:
        """Send ``request`` once, with the token of ``slot``."""
        outcome = self._github.send(request.call(), None if slot.key == ANONYMOUS else slot.key)
        now = time.time()
        verdict = judge(request, outcome, now, attempt=self._faults, strikes=slot.strikes)
        metrics.add(metrics.GITHUB_REQUESTS, kind=request.kind, outcome=outcome_label(verdict.action))
        if self._pool.report(slot, verdict, now) and isinstance(verdict.action, BadToken):
            notes.error("%s (%s).", verdict.action.reason, self._pool.name(slot.key))
        return verdict

    def _is_confirmed(self, key: str, request: GitHubRequest, verdict: Verdict) -> bool:
        action = verdict.action
        if isinstance(action, BadToken):
            # The budget counts these.
            return False
        # A 404 from /commits may mean only an unknown commit, so it is not a refusal.
        if not isinstance(action, GiveUp | Gone) or (isinstance(action, Gone) and request.api == "core"):
            self._refusals.pop(key, None)
            return True
        last, times = self._refusals.get(key, (action, 0))
        self._refusals[key] = (action, times + 1 if last == action else 1)
        return self._refusals[key][1] >= CONFIRMATIONS

    def _take_slot(self, api: Api) -> Slot:
        deadline = time.time() + MAX_THREAD_WAIT
        while True:
            now = time.time()
            match self._pool.take(now, api=api, avoid=self._excluded):
                case Slot() as slot:
                    return slot
                case TokenRefused():
                    raise NoTokenLeftError
                case WaitUntil(until, limited):
                    if limited or until > deadline:
                        raise LimitInForceError(until)
                    self._wait(until - now)

    def _wait(self, seconds: float) -> None:
        self._sleep(seconds)
        if self._stop.is_set():
            raise Interrupted("interrupted")
