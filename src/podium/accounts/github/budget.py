"""The rate budget of one token. Pure; the time is passed in.

GitHub limits points per hour (each answer states them), points per minute, and concurrent requests. A point counts as
soon as it is taken, so workers that share a :class:`TokenState` never spend it twice.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence

from podium.accounts.github.faults import BadToken, DelayUntil, Done, GiveUp, Halve, RetryAfter, Verdict
from podium.accounts.github.parse import MAX_WAIT, Rate
from podium.accounts.github.requests import Api

# GitHub counts requests without a token by IP address.
ANONYMOUS = "anonymous"
# Answers may differ about the end of a window by these seconds.
_TOLERANCE = 2.0
# No time of a state is as far ahead, although the clocks of machines differ.
_LONGEST = MAX_WAIT + 3600.0


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """GitHub's limits that no answer states, and our own.

    Attributes:
        concurrency: GitHub allows 100, but only 60 s of its CPU per minute.
        slot_seconds: a crashed worker's slot is free after this time.
        probe_seconds: how long other workers wait for the first answer.
        poll_seconds: when to check again for a slot of unknown release time.
        refusals: consecutive refusals before a token counts as refused; a faulty server may send one.
        refused_seconds, longest_refused_seconds: when a refused token is tried again; the delay doubles.
        denied_seconds: how long a token counts as denied after GitHub denied it a repository.
    """

    graphql_minute: int = 2000
    core_minute: int = 900
    concurrency: int = 20
    slot_seconds: float = 60.0
    probe_seconds: float = 10.0
    poll_seconds: float = 0.5
    refusals: int = 3
    refused_seconds: float = 120.0
    longest_refused_seconds: float = 900.0
    denied_seconds: float = 3600.0

    def minute(self, api: Api) -> int:
        return self.graphql_minute if api == "graphql" else self.core_minute


@dataclasses.dataclass(frozen=True, slots=True)
class Slot:
    """Permission for one request; return it with :func:`settle`."""

    id: str
    key: str
    api: Api
    cost: int
    taken_at: float
    strikes: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class WaitUntil:
    """``limited``: GitHub enforces the wait."""

    time: float
    limited: bool


@dataclasses.dataclass(frozen=True, slots=True)
class TokenRefused:
    pass


@dataclasses.dataclass(frozen=True, slots=True)
class RateWindow:
    """The hourly window of one API. None: unlimited, or not known yet."""

    limit: int | None
    remaining: int | None
    resets_at: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class TokenState:
    """Plain data, so that it can be stored anywhere.

    Attributes:
        held: the end of a limit in force, by API; '' for all APIs.
        held_since, strikes: the time of the last secondary limit, and how many in a row.
        slots: requests in flight, each with its expiry.
        spent: points by second and API.
        refused_since: 0: GitHub accepted the token the last time.
        denied: the times of the last repository that GitHub denied the token, by the code of
            :class:`podium.accounts.github.faults.GiveUp`.
    """

    windows: Mapping[str, RateWindow] = dataclasses.field(default_factory=dict)
    held: Mapping[str, float] = dataclasses.field(default_factory=dict)
    held_since: float = 0.0
    strikes: int = 0
    refusals: int = 0
    refused_until: float = 0.0
    slots: tuple[tuple[Slot, float], ...] = ()
    spent: tuple[tuple[int, Api, int], ...] = ()
    refused_since: float = 0.0
    denied: Mapping[str, float] = dataclasses.field(default_factory=dict)


def token_key(token: str) -> str:
    """Identifies a token everywhere but in the request."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]


def take(state: TokenState, policy: Policy, wanted: Slot) -> tuple[TokenState, Slot | WaitUntil | TokenRefused]:
    """Take the slot ``wanted``, or return when to try again."""
    api, cost, now = wanted.api, wanted.cost, wanted.taken_at
    state = _expire(state, now)
    if now < state.refused_until:
        return state, TokenRefused()
    limited = _limited_until(state, api, cost)
    busy = _busy_until(state, policy, api, cost, now)
    if max(limited, busy) > now:
        return state, WaitUntil(max(limited, busy), limited=limited > now)
    slot = dataclasses.replace(wanted, strikes=state.strikes)
    state = dataclasses.replace(
        state,
        windows=_with_window(state, api, _charge(state.windows.get(api), cost)),
        slots=(*state.slots, (slot, now + policy.slot_seconds)),
        spent=_with_spent(state, api, cost, int(now)),
    )
    return state, slot


def settle(state: TokenState, policy: Policy, slot: Slot, verdict: Verdict, now: float) -> TokenState:
    state = _expire(state, now)
    state = dataclasses.replace(state, slots=tuple(held for held in state.slots if held[0].id != slot.id))
    window = _updated_window(state.windows.get(slot.api), verdict, _in_flight(state, slot.api), now)
    state = dataclasses.replace(state, windows=_with_window(state, slot.api, window))
    # A request sent before the last refusal says nothing new about the token.
    if slot.taken_at >= state.refused_until and not isinstance(verdict.action, BadToken | RetryAfter | Halve):
        state = dataclasses.replace(state, refusals=0, refused_since=0.0, refused_until=0.0)
    # A request sent before the last limit says nothing new about it.
    is_news = slot.taken_at >= state.held_since
    match verdict.action:
        case BadToken():
            return _count_refusal(state, policy, slot, now)
        case GiveUp("sso" | "forbidden" as code, _):
            state = dataclasses.replace(state, denied={**state.denied, code: now})
        case DelayUntil(until, "primary", _):
            return dataclasses.replace(state, held=_with_hold(state, slot.api, until))
        case DelayUntil(until, "secondary", _):
            held = _with_hold(state, "", until)
            strikes, since = (state.strikes + 1, now) if is_news else (state.strikes, state.held_since)
            return dataclasses.replace(state, held=held, strikes=strikes, held_since=since)
    return dataclasses.replace(state, strikes=0) if is_news else state


def _count_refusal(state: TokenState, policy: Policy, slot: Slot, now: float) -> TokenState:
    if slot.taken_at < state.refused_until:
        return state
    refusals = state.refusals + 1
    if refusals < policy.refusals:
        return dataclasses.replace(state, refusals=refusals)
    # The exponent is bounded: a token may stay refused for years.
    delay = policy.refused_seconds * 2 ** min(refusals - policy.refusals, 10)
    return dataclasses.replace(
        state,
        refusals=refusals,
        refused_until=now + min(delay, policy.longest_refused_seconds),
        refused_since=state.refused_since or now,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class TokenHealth:
    """What GitHub thinks of a token.

    Attributes:
        refused_since: None: GitHub accepts it.
        next_try_at: of a refused token.
        denied: codes of :class:`podium.accounts.github.faults.GiveUp`: GitHub denied it a repository recently.
    """

    refused_since: float | None = None
    next_try_at: float | None = None
    denied: tuple[str, ...] = ()


def health(state: TokenState, policy: Policy, now: float) -> TokenHealth:
    denied = tuple(sorted(code for code, at in state.denied.items() if at > now - policy.denied_seconds))
    if not state.refused_since:
        return TokenHealth(denied=denied)
    return TokenHealth(state.refused_since, max(now, state.refused_until), denied)


def limited_until(state: TokenState, api: Api, now: float) -> float | None:
    until = _limited_until(_expire(state, now), api, 1)
    return until if until > now else None


def windows(state: TokenState, now: float) -> Mapping[str, RateWindow]:
    return _expire(state, now).windows


def combine(windows: Sequence[RateWindow]) -> RateWindow:
    limits = [window.limit for window in windows if window.limit is not None]
    remaining = [window.remaining for window in windows if window.remaining is not None]
    resets = [window.resets_at for window in windows if window.resets_at is not None]
    return RateWindow(sum(limits) if limits else None, sum(remaining) if remaining else None, min(resets, default=None))


def _expire(state: TokenState, now: float) -> TokenState:
    """Drop what is over, and what a clock has noted that was far ahead and was set back."""
    latest = now + _LONGEST
    state = dataclasses.replace(
        state,
        slots=tuple(held for held in state.slots if now < held[1] <= latest),
        spent=tuple(entry for entry in state.spent if now < entry[0] + 61 <= latest),
        held={api: until for api, until in state.held.items() if now < until <= latest},
        held_since=state.held_since if state.held_since <= latest else 0.0,
        refused_until=state.refused_until if state.refused_until <= latest else 0.0,
    )
    windows = {api: _roll_over(window, _in_flight(state, api), now) for api, window in state.windows.items()}
    return dataclasses.replace(state, windows=windows)


def _roll_over(window: RateWindow, in_flight: int, now: float) -> RateWindow:
    if window.resets_at is None or now < window.resets_at <= now + _LONGEST:
        return window
    # GitHub may count requests in flight in the new window.
    remaining = None if window.limit is None else max(0, window.limit - in_flight)
    return RateWindow(window.limit, remaining, None)


def _charge(window: RateWindow | None, cost: int) -> RateWindow | None:
    if window is None or window.remaining is None:
        return window
    return dataclasses.replace(window, remaining=window.remaining - cost)


def _updated_window(window: RateWindow | None, verdict: Verdict, in_flight: int, now: float) -> RateWindow | None:
    if verdict.rate is not None:
        return _merge(window, verdict.rate, in_flight, now)
    if window is None and verdict.action == Done():
        # No limit (Enterprise Server's default).
        return RateWindow(None, None, None)
    return window


def _merge(window: RateWindow | None, rate: Rate, in_flight: int, now: float) -> RateWindow | None:
    if rate.resets_at <= now:
        return window
    stated = RateWindow(rate.limit, max(0, rate.remaining - in_flight), rate.resets_at)
    if window is None or window.remaining is None:
        return stated
    if window.resets_at is not None and abs(window.resets_at - rate.resets_at) > _TOLERANCE:
        return stated if rate.resets_at > window.resets_at else window
    # Take the minimum: ours is lower if answers arrive out of order, GitHub's if the token is used elsewhere.
    return RateWindow(rate.limit, min(window.remaining, rate.remaining), window.resets_at or rate.resets_at)


def _limited_until(state: TokenState, api: Api, cost: int) -> float:
    window = state.windows.get(api)
    ends = [state.held.get(api, 0.0), state.held.get("", 0.0)]
    if window and window.resets_at is not None and _lacks(window, cost):
        ends.append(window.resets_at)
    return max(ends)


def _busy_until(state: TokenState, policy: Policy, api: Api, cost: int, now: float) -> float:
    window = state.windows.get(api)
    # Until the first answer one worker asks, and the others wait.
    is_asked = any(slot.api == api and slot.taken_at + policy.probe_seconds > now for slot, _ in state.slots)
    probing = window is None and is_asked
    # A new window whose points are taken before an answer states its end.
    exhausted = window is not None and window.resets_at is None and _lacks(window, cost)
    # One request finds out whether a refused token is accepted again.
    probing |= bool(state.refused_since and state.slots)
    if probing or exhausted or len(state.slots) >= policy.concurrency:
        return now + policy.poll_seconds
    return _minute_ends(state, api, policy.minute(api) - cost, now)


def _lacks(window: RateWindow, cost: int) -> bool:
    return window.remaining is not None and window.remaining < cost


def _minute_ends(state: TokenState, api: Api, allowed: int, now: float) -> float:
    entries = [(second, points) for second, of, points in state.spent if of == api]
    total = sum(points for _, points in entries)
    ends = now
    for second, points in entries:
        if total <= allowed:
            break
        total -= points
        ends = second + 61.0
    return ends


def _with_spent(state: TokenState, api: Api, cost: int, second: int) -> tuple[tuple[int, Api, int], ...]:
    same = sum(points for at, of, points in state.spent if (at, of) == (second, api))
    others = (entry for entry in state.spent if entry[:2] != (second, api))
    return (*others, (second, api, same + cost))


def _in_flight(state: TokenState, api: str) -> int:
    return sum(slot.cost for slot, _ in state.slots if slot.api == api)


def _with_window(state: TokenState, api: str, window: RateWindow | None) -> Mapping[str, RateWindow]:
    return state.windows if window is None else {**state.windows, api: window}


def _with_hold(state: TokenState, api: str, until: float) -> Mapping[str, float]:
    return {**state.held, api: max(until, state.held.get(api, 0.0))}
