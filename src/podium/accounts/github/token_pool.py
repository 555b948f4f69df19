"""Which token may be used now, or when. Tokens are known only by :func:`podium.accounts.github.budget.token_key`."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from podium.accounts.github import budget
from podium.accounts.github.budget import (
    ANONYMOUS,
    Policy,
    RateWindow,
    Slot,
    TokenHealth,
    TokenRefused,
    TokenState,
    WaitUntil,
)
from podium.accounts.github.faults import Verdict
from podium.accounts.github.requests import Api

T = TypeVar("T")


class BudgetStore(Protocol):
    def change(self, key: str, apply: Callable[[TokenState | None], tuple[TokenState, T]]) -> T:
        """Replace a state atomically by the first value of ``apply``; return the second.

        ``apply`` gets None if there is no state. A store may call it more than once.
        """

    def peek(self, key: str) -> TokenState | None: ...


class LimitStore(Protocol):
    def remember(self, key: str, until: float) -> None:
        """Keep a limit; the later of two counts."""

    def recall(self) -> Mapping[str, float]: ...


class MemoryBudgetStore:
    def __init__(self) -> None:
        self._states: dict[str, TokenState] = {}
        self._lock = threading.Lock()

    def change(self, key: str, apply: Callable[[TokenState | None], tuple[TokenState, T]]) -> T:
        with self._lock:
            self._states[key], result = apply(self._states.get(key))
            return result

    def peek(self, key: str) -> TokenState | None:
        with self._lock:
            return self._states.get(key)


class TokenPool:
    """``[ANONYMOUS]`` for requests without a token. Thread-safe."""

    def __init__(
        self, keys: Sequence[str], store: BudgetStore, limits: LimitStore | None = None, policy: Policy | None = None
    ) -> None:
        self._keys = tuple(dict.fromkeys(keys))
        self._store = store
        self._limits = limits
        self._policy = policy or Policy()
        self._round_robin = itertools.count()

    @property
    def keys(self) -> tuple[str, ...]:
        return self._keys

    def name(self, key: str) -> str:
        """What people read: the place in ``GITHUB_TOKEN``."""
        return "no token" if key == ANONYMOUS else f"token {self._keys.index(key) + 1} of {len(self._keys)}"

    def health(self, now: float) -> list[TokenHealth]:
        """What GitHub thinks of each token, in the order of ``keys``.

        Raises:
            QueueError: the store cannot be read.
        """
        states = [self._store.peek(key) or TokenState() for key in self._keys]
        return [budget.health(state, self._policy, now) for state in states]

    def take_one(self, key: str, now: float, *, cost: int, api: Api) -> Slot | WaitUntil | TokenRefused:
        """Take a slot of one token."""
        return self._take(key, now, cost, api)

    def take(
        self, now: float, cost: int = 1, api: Api = "graphql", avoid: Collection[str] = ()
    ) -> Slot | WaitUntil | TokenRefused:
        """Take a slot of any token not in ``avoid``, or return the earliest wait."""
        start = next(self._round_robin)
        waits = []
        for offset in range(len(self._keys)):
            key = self._keys[(start + offset) % len(self._keys)]
            if key in avoid:
                continue
            taken = self._take(key, now, cost, api)
            if isinstance(taken, Slot):
                return taken
            if isinstance(taken, WaitUntil):
                waits.append(taken)
        return min(waits, key=lambda wait: wait.time) if waits else TokenRefused()

    def report(self, slot: Slot, verdict: Verdict, now: float) -> bool:
        """Return ``slot`` with the verdict on its request; call it for every slot.

        Returns:
            Whether this report made the token refused. True once for each time that it is tried.
        """

        def apply(state: TokenState | None) -> tuple[TokenState, tuple[TokenState, bool]]:
            before = self._known(slot.key, state)
            after = budget.settle(before, self._policy, slot, verdict, now)
            became_refused = before.refused_until <= now < after.refused_until
            return after, (after, became_refused)

        state, became_refused = self._store.change(slot.key, apply)
        until = budget.limited_until(state, slot.api, now)
        if until is not None and self._limits is not None:
            self._limits.remember(slot.key, until)
        return became_refused

    def windows(self, now: float) -> Mapping[str, RateWindow]:
        """The windows of all tokens together, by API."""
        states = [state for key in self._keys if (state := self._store.peek(key)) is not None]
        by_token = [budget.windows(state, now) for state in states]
        apis = sorted({api for windows in by_token for api in windows})
        return {api: budget.combine([windows[api] for windows in by_token if api in windows]) for api in apis}

    def windows_of_each(self, now: float) -> list[Mapping[str, RateWindow]]:
        """The windows of each token, by API, in the order of ``keys``."""
        return [budget.windows(self._store.peek(key) or TokenState(), now) for key in self._keys]

    def _take(self, key: str, now: float, cost: int, api: Api) -> Slot | WaitUntil | TokenRefused:
        slot = Slot(uuid.uuid4().hex, key, api, cost, now)
        return self._store.change(key, lambda state: budget.take(self._known(key, state), self._policy, slot))

    def _known(self, key: str, state: TokenState | None) -> TokenState:
        if state is not None:
            return state
        until = self._limits.recall().get(key, 0.0) if self._limits is not None else 0.0
        return TokenState(held={"": until})
