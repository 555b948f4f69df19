"""Ask GitHub, without cost, whether it answers and which tokens it accepts."""

from __future__ import annotations

import dataclasses
import random
import threading
from collections.abc import Callable

from podium.accounts.github.budget import ANONYMOUS, Slot
from podium.accounts.github.client import GitHub
from podium.accounts.github.faults import BadToken, RetryAfter
from podium.accounts.github.github_session import CONFIRM_DELAY, CONFIRMATIONS, GitHubSession
from podium.accounts.github.requests import TokenRequest
from podium.accounts.github.token_pool import TokenPool

# Seconds until a token is checked again that was accepted the last time.
_ACCEPTED_FOR = 300.0


@dataclasses.dataclass(frozen=True, slots=True)
class GitHubState:
    """answers: GitHub was reached the last time. has_token: it accepts one of the tokens."""

    answers: bool
    has_token: bool


class TokenCheck:
    """Checks each token every five minutes, and a refused one as soon as its budget allows.

    A token that GitHub revoked while no work used it is found, too, and a refused one without any work.
    """

    def __init__(
        self,
        github: GitHub,
        tokens: TokenPool | None,
        anonymous: TokenPool,
        stop: threading.Event,
        *,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._github = github
        self._tokens = tokens
        self._anonymous = anonymous
        self._stop = stop
        self._sleep = sleep or stop.wait
        # By token: when GitHub answered, and whether it accepted it.
        self._answered: dict[str, float] = {}
        self._accepted: dict[str, bool] = {}
        self.away_since: float | None = None

    def run(self, now: float, *, is_needed: bool) -> GitHubState:
        """Check what is due.

        Args:
            is_needed: work waits for GitHub; without it, nothing is asked without a token.

        Raises:
            QueueError: the budget cannot be read.
        """
        pool = self._tokens or self._anonymous
        if self._tokens is not None or is_needed:
            for key, health in zip(pool.keys, pool.health(now), strict=True):
                is_refused = health.refused_since is not None
                if is_refused or now - self._answered.get(key, float("-inf")) >= _ACCEPTED_FOR:
                    self._check(pool, key, now)
        accepted = [
            health.refused_since is None and self._accepted.get(key, False)
            for key, health in zip(pool.keys, pool.health(now), strict=True)
        ]
        return GitHubState(self.away_since is None, self._tokens is not None and any(accepted))

    def _check(self, pool: TokenPool, key: str, now: float) -> None:
        session = GitHubSession(self._github, pool, self._stop, max_faults=1)
        for _ in range(CONFIRMATIONS):
            slot = pool.take_one(key, now, cost=0, api="core")
            # It is refused for now, or GitHub has set a limit.
            if not isinstance(slot, Slot):
                return
            action = session.send(TokenRequest(), slot).action
            if isinstance(action, RetryAfter):
                self.away_since = self.away_since or now
                return
            self.away_since = None
            self._answered[key] = now
            self._accepted[key] = not isinstance(action, BadToken)
            if not isinstance(action, BadToken) or key == ANONYMOUS or self._stop.is_set():
                return
            self._sleep(CONFIRM_DELAY * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
