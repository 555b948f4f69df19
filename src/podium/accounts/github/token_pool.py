"""The budget that all user workers share: which token may ask now, or when one may.

A pool knows its tokens by :func:`podium.accounts.github.budget.token_key` only. Where the budgets are kept is a
:class:`Store`: here a dictionary, for the threads of one process.
"""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from podium.accounts.github import budget
from podium.accounts.github.budget import Policy, Refused, Slot, State, WaitUntil, Window
from podium.accounts.github.requests import Api
from podium.accounts.github.verdicts import Verdict

T = TypeVar("T")


class Store(Protocol):
    """Keeps one state a token."""

    def change(self, key: str, apply: Callable[[State | None], tuple[State, T]]) -> T:
        """Replace the state of ``key`` by what ``apply`` makes of it, as one indivisible step.

        ``apply`` is given None where nothing is kept, is pure but for a first read of what is remembered, and
        may be called more than once by a store that tries until nobody came between.
        """

    def peek(self, key: str) -> State | None:
        """The state of ``key`` as it is; None where nothing is kept."""


class Memory(Protocol):
    """Remembers limits in force for longer than a store: a flushed store must not forget them."""

    def remember(self, key: str, until: float) -> None:
        """Keep that nothing may be asked with ``key`` before ``until``; the later of two counts."""

    def recall(self) -> Mapping[str, float]:
        """What was remembered and may still be in force."""


class ProcessStore:
    """A store for the threads of this process."""

    def __init__(self) -> None:
        self._states: dict[str, State] = {}
        self._lock = threading.Lock()

    def change(self, key: str, apply: Callable[[State | None], tuple[State, T]]) -> T:
        with self._lock:
            self._states[key], result = apply(self._states.get(key))
            return result

    def peek(self, key: str) -> State | None:
        with self._lock:
            return self._states.get(key)


class TokenPool:
    """Several tokens with a budget each. Give it ``[ANONYMOUS]`` where there is none. Safe in threads."""

    def __init__(
        self, keys: Sequence[str], store: Store, memory: Memory | None = None, policy: Policy | None = None
    ) -> None:
        self._keys = tuple(dict.fromkeys(keys))
        self._store = store
        self._memory = memory
        self._policy = policy or Policy()
        self._turn = itertools.count()

    def take(
        self, now: float, cost: int = 1, api: Api = "graphql", avoid: Collection[str] = ()
    ) -> Slot | WaitUntil | Refused:
        """Leave to send a request now, with the first token that has room; else the earliest time one has.

        Tokens whose keys stand in ``avoid`` are left out.
        """
        start = next(self._turn)
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
        return min(waits, key=lambda wait: wait.time) if waits else Refused()

    def report(self, slot: Slot, verdict: Verdict, now: float) -> bool:
        """Give ``slot`` back with what came of it; for every slot, whatever happened.

        True: with this the token went out of use (GitHub does not accept it), to be said once.
        """

        def apply(state: State | None) -> tuple[State, tuple[State, bool]]:
            before = self._known(slot.key, state)
            after = budget.settle(before, self._policy, slot, verdict, now)
            refused = before.refused_until <= now < after.refused_until
            return after, (after, refused)

        state, refused = self._store.change(slot.key, apply)
        until = budget.limited_until(state, slot.api, now)
        if until is not None and self._memory is not None:
            self._memory.remember(slot.key, until)
        return refused

    def windows(self, now: float) -> Mapping[str, Window]:
        """What GitHub allows all tokens together an hour, by API; empty where no answer has told it yet."""
        states = [state for key in self._keys if (state := self._store.peek(key)) is not None]
        of_key = [budget.windows(state, now) for state in states]
        apis = sorted({api for windows in of_key for api in windows})
        return {api: budget.together([windows[api] for windows in of_key if api in windows]) for api in apis}

    def _take(self, key: str, now: float, cost: int, api: Api) -> Slot | WaitUntil | Refused:
        wanted = Slot(uuid.uuid4().hex, key, api, cost, now)
        return self._store.change(key, lambda state: budget.take(self._known(key, state), self._policy, wanted))

    def _known(self, key: str, state: State | None) -> State:
        if state is not None:
            return state
        until = self._memory.recall().get(key, 0.0) if self._memory is not None else 0.0
        return State(held={"": until})
