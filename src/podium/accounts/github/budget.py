"""What GitHub may be asked, and when: the rate budget of one token. Pure: the time is passed in.

:class:`State` is all that is known of a token; :func:`take` and :func:`settle` turn one state into the next.
The limits are GitHub's: points an hour (told by each answer), points a minute, requests at once. A point
that is taken counts at once, so that workers who share a state never spend it twice; what GitHub reports only
corrects. The state is plain data, so that it can be kept anywhere: see :mod:`podium.accounts.github.token_pool`.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence

from podium.accounts.github.parse import Rate
from podium.accounts.github.requests import Api
from podium.accounts.github.verdicts import BadToken, DelayUntil, Done, Halve, Retry, Verdict

# The key of the budget that those share who have no token: GitHub counts it by address.
ANONYMOUS = "anonymous"
# How far two answers may differ about the end of one and the same window.
_TOLERANCE = 2.0


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """The bounds that GitHub does not report, with its published figures, and our own.

    concurrency: requests at once (GitHub allows 100, but only 60 s of its CPU a minute).
    slot_seconds: how long a request can be under way; a worker that died gives its slot back so.
    probe_seconds: how long the others wait for the first answer, before another of them asks.
    poll_seconds: when to ask again for what frees itself at no known time.
    refusals: answers in a row that do not accept a token until it is believed to be a bad one: a server that stumbles
        may say so by mistake.
    refused_seconds: how long a bad token is left alone.
    """

    graphql_minute: int = 2000
    core_minute: int = 900
    concurrency: int = 20
    slot_seconds: float = 60.0
    probe_seconds: float = 10.0
    poll_seconds: float = 0.5
    refusals: int = 3
    refused_seconds: float = 3600.0

    def minute(self, api: Api) -> int:
        return self.graphql_minute if api == "graphql" else self.core_minute


@dataclasses.dataclass(frozen=True, slots=True)
class Slot:
    """Leave to send one request with the token of ``key``; give it back with :func:`settle`."""

    id: str
    key: str
    api: Api
    cost: int
    taken_at: float
    strikes: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class WaitUntil:
    """Nothing before ``time`` (epoch seconds). ``limited``: it is a limit of GitHub's that is in force."""

    time: float
    limited: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Refused:
    """GitHub accepts none of the tokens."""


@dataclasses.dataclass(frozen=True, slots=True)
class Window:
    """An hourly window of one API. None: there is no limit; its end is not told yet."""

    limit: int | None
    remaining: int | None
    resets_at: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """All that is known of one token.

    windows: by API. held: by API, '' for all: until when a limit is in force, as GitHub said.
    held_since, strikes: when the last secondary limit was said, and how many in a row.
    refusals, refused_until: answers in a row that did not accept the token, and until when it is left alone.
    slots: requests under way, with the time at which each is given up. spent: points by second and API.
    """

    windows: Mapping[str, Window] = dataclasses.field(default_factory=dict)
    held: Mapping[str, float] = dataclasses.field(default_factory=dict)
    held_since: float = 0.0
    strikes: int = 0
    refusals: int = 0
    refused_until: float = 0.0
    slots: tuple[tuple[Slot, float], ...] = ()
    spent: tuple[tuple[int, Api, int], ...] = ()


def token_key(token: str) -> str:
    """What a token is known by wherever it is not sent: the beginning of its SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]


def take(state: State, policy: Policy, wanted: Slot) -> tuple[State, Slot | WaitUntil | Refused]:
    """Take the slot that is wanted, at its ``taken_at``, or learn when to come back."""
    api, cost, now = wanted.api, wanted.cost, wanted.taken_at
    state = _settled(state, now)
    if now < state.refused_until:
        return state, Refused()
    limited = _limited_until(state, api, cost)
    crowded = _crowded_until(state, policy, api, cost, now)
    if max(limited, crowded) > now:
        return state, WaitUntil(max(limited, crowded), limited=limited > now)
    slot = dataclasses.replace(wanted, strikes=state.strikes)
    state = dataclasses.replace(
        state,
        windows=_with_window(state, api, _charged(state.windows.get(api), cost)),
        slots=(*state.slots, (slot, now + policy.slot_seconds)),
        spent=_spent(state, api, cost, int(now)),
    )
    return state, slot


def settle(state: State, policy: Policy, slot: Slot, verdict: Verdict, now: float) -> State:
    """Give a slot back with what came of it."""
    state = _settled(state, now)
    state = dataclasses.replace(state, slots=tuple(held for held in state.slots if held[0].id != slot.id))
    window = _after(state.windows.get(slot.api), verdict, _under_way(state, slot.api), now)
    state = dataclasses.replace(state, windows=_with_window(state, slot.api, window))
    if not isinstance(verdict.action, BadToken | Retry | Halve):
        state = dataclasses.replace(state, refusals=0)
    # Requests that were sent before a limit was said say nothing new about it.
    is_news = slot.taken_at >= state.held_since
    match verdict.action:
        case BadToken():
            return _refused(state, policy, now)
        case DelayUntil(until, "primary", _):
            return dataclasses.replace(state, held=_with_hold(state, slot.api, until))
        case DelayUntil(until, "secondary", _):
            held = _with_hold(state, "", until)
            strikes, since = (state.strikes + 1, now) if is_news else (state.strikes, state.held_since)
            return dataclasses.replace(state, held=held, strikes=strikes, held_since=since)
    return dataclasses.replace(state, strikes=0) if is_news else state


def _refused(state: State, policy: Policy, now: float) -> State:
    refusals = state.refusals + 1
    until = now + policy.refused_seconds if refusals >= policy.refusals else state.refused_until
    return dataclasses.replace(state, refusals=refusals, refused_until=until)


def limited_until(state: State, api: Api, now: float) -> float | None:
    """Until when a limit of GitHub's is in force for this API; None: none is."""
    until = _limited_until(_settled(state, now), api, 1)
    return until if until > now else None


def windows(state: State, now: float) -> Mapping[str, Window]:
    """The hourly windows by API, as far as answers have told them."""
    return _settled(state, now).windows


def together(several: Sequence[Window]) -> Window:
    """Windows of several tokens as one: its points are their sum, and it begins anew when the first of them does."""
    limits = [window.limit for window in several if window.limit is not None]
    remaining = [window.remaining for window in several if window.remaining is not None]
    resets = [window.resets_at for window in several if window.resets_at is not None]
    return Window(sum(limits) if limits else None, sum(remaining) if remaining else None, min(resets, default=None))


def _settled(state: State, now: float) -> State:
    """What time alone changes: windows that ended, slots of workers that died, the minute gone by."""
    slots = tuple(held for held in state.slots if held[1] > now)
    spent = tuple(entry for entry in state.spent if entry[0] + 61 > now)
    held = {api: until for api, until in state.held.items() if until > now}
    state = dataclasses.replace(state, slots=slots, spent=spent, held=held)
    windows = {api: _rolled(window, _under_way(state, api), now) for api, window in state.windows.items()}
    return dataclasses.replace(state, windows=windows)


def _rolled(window: Window, under_way: int, now: float) -> Window:
    if window.resets_at is None or now < window.resets_at:
        return window
    # What is under way may be counted in the new window.
    remaining = None if window.limit is None else max(0, window.limit - under_way)
    return Window(window.limit, remaining, None)


def _charged(window: Window | None, cost: int) -> Window | None:
    if window is None or window.remaining is None:
        return window
    return dataclasses.replace(window, remaining=window.remaining - cost)


def _after(window: Window | None, verdict: Verdict, under_way: int, now: float) -> Window | None:
    if verdict.rate is not None:
        return _merged(window, verdict.rate, under_way, now)
    if window is None and verdict.action == Done():
        # A good answer that tells of no limit: there is none (Enterprise Server, by default).
        return Window(None, None, None)
    return window


def _merged(window: Window | None, rate: Rate, under_way: int, now: float) -> Window | None:
    """Correct a window by an answer; answers may come in another order than they were counted in."""
    if rate.resets_at <= now:
        return window
    fresh = Window(rate.limit, max(0, rate.remaining - under_way), rate.resets_at)
    if window is None or window.remaining is None:
        return fresh
    if window.resets_at is not None and abs(window.resets_at - rate.resets_at) > _TOLERANCE:
        return fresh if rate.resets_at > window.resets_at else window
    # Ours is the lower one where answers overtake each other, theirs where somebody else uses the token too.
    return Window(rate.limit, min(window.remaining, rate.remaining), window.resets_at or rate.resets_at)


def _limited_until(state: State, api: Api, cost: int) -> float:
    window = state.windows.get(api)
    ends = [state.held.get(api, 0.0), state.held.get("", 0.0)]
    if window and window.resets_at is not None and _short_of(window, cost):
        ends.append(window.resets_at)
    return max(ends)


def _crowded_until(state: State, policy: Policy, api: Api, cost: int, now: float) -> float:
    """The waits of our own making: points a minute, requests at once, and the first answer."""
    window = state.windows.get(api)
    # Until the first answer nobody knows how many points are left: one asks, and the others wait unless it died.
    asks = any(slot.api == api and slot.taken_at + policy.probe_seconds > now for slot, _ in state.slots)
    probing = window is None and asks
    # A new window that is spent before an answer told its end.
    exhausted = window is not None and window.resets_at is None and _short_of(window, cost)
    if probing or exhausted or len(state.slots) >= policy.concurrency:
        return now + policy.poll_seconds
    return _minute_ends(state, api, policy.minute(api) - cost, now)


def _short_of(window: Window, cost: int) -> bool:
    return window.remaining is not None and window.remaining < cost


def _minute_ends(state: State, api: Api, allowed: int, now: float) -> float:
    entries = [(second, points) for second, of, points in state.spent if of == api]
    total = sum(points for _, points in entries)
    ends = now
    for second, points in entries:
        if total <= allowed:
            break
        total -= points
        ends = second + 61.0
    return ends


def _spent(state: State, api: Api, cost: int, second: int) -> tuple[tuple[int, Api, int], ...]:
    same = sum(points for at, of, points in state.spent if (at, of) == (second, api))
    others = (entry for entry in state.spent if entry[:2] != (second, api))
    return (*others, (second, api, same + cost))


def _under_way(state: State, api: str) -> int:
    return sum(slot.cost for slot, _ in state.slots if slot.api == api)


def _with_window(state: State, api: str, window: Window | None) -> Mapping[str, Window]:
    return state.windows if window is None else {**state.windows, api: window}


def _with_hold(state: State, api: str, until: float) -> Mapping[str, float]:
    return {**state.held, api: max(until, state.held.get(api, 0.0))}
