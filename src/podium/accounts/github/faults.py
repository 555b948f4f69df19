"""What an answer of GitHub means: the table of faults. Pure: the time is passed in.

:func:`judge` takes a request and what came of it. It says what was told (kept, whatever went wrong beside),
what the primary limit leaves, and what to do next. The last stands in :data:`TABLE`: read from the top, the
first row that fits decides, and the bottom row fits everything.

Sources: GitHub's pages on rate limits (REST and GraphQL: wait for ``retry-after``, else where
``x-ratelimit-remaining`` is 0 until ``x-ratelimit-reset``, else a minute and exponentially longer), and what
GraphQL was seen to answer: limits come as HTTP 200 with the error type RATE_LIMITED or RATE_LIMIT.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection
from typing import Literal

from podium.accounts.github.cases import Case, case_of, moved_to
from podium.accounts.github.headers import LONGEST_WAIT
from podium.accounts.github.requests import Api, EmailsRequest, Failure, Request, Response
from podium.accounts.github.verdicts import (
    Action,
    BadToken,
    DelayUntil,
    Done,
    GiveUp,
    Gone,
    Halve,
    Moved,
    Retry,
    Verdict,
)

# A renamed repository is one move; more than a few are a circle.
MAX_MOVES = 3
LONGEST_BACKOFF = 60.0


def judge(request: Request, outcome: Response | Failure, now: float, *, attempt: int = 0, strikes: int = 0) -> Verdict:
    """Decide what an outcome means.

    Args:
        request: what was asked.
        outcome: what came of it.
        now: epoch seconds at which it came.
        attempt: faults in a row of this work before this one; the back-off doubles with each.
        strikes: secondary limits in a row of this token before this one; an unstated wait doubles with each.
    """
    case = case_of(request, outcome, now, attempt=attempt, strikes=strikes)
    row = next(row for row in TABLE if row.fits(case))
    return Verdict(case.told, row.then(case, row.why), case.rate)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: it fits where every condition that it states holds."""

    then: Callable[[Case, str], Action]
    why: str = ""
    api: Api | None = None
    failure: str = ""
    status: Collection[int] = ()
    types: frozenset[str] = frozenset()
    repository: frozenset[str] = frozenset()
    says: str = ""
    spent: bool | None = None
    told_to_wait: bool | None = None
    readable: bool | None = None
    data: bool | None = None
    whole: bool | None = None

    def fits(self, case: Case) -> bool:
        flags = ("spent", "told_to_wait", "readable", "data", "whole")
        return (
            self.api in (None, case.api)
            and self.failure in ("", case.failure)
            and (not self.status or case.status in self.status)
            and (not self.types or not self.types.isdisjoint(case.types))
            and (not self.repository or not self.repository.isdisjoint(case.repository))
            and re.search(self.says, case.says, re.IGNORECASE) is not None
            and all(getattr(self, flag) in (None, getattr(case, flag)) for flag in flags)
        )


def _done(_case: Case, _why: str) -> Action:
    return Done()


def _retry(case: Case, why: str) -> Action:
    return Retry(min(LONGEST_BACKOFF, 2.0**case.attempt), f"{why} ({case.detail})" if case.detail else why)


def _halve(case: Case, why: str) -> Action:
    many = isinstance(case.request, EmailsRequest) and len(case.request.asks) > 1
    return Halve(why) if many else _retry(case, why)


def _primary(case: Case, why: str) -> Action:
    return DelayUntil(_limit_ends(case), "primary", why)


def _secondary(case: Case, why: str) -> Action:
    return DelayUntil(_limit_ends(case), "secondary", why)


def _bad_token(_case: Case, why: str) -> Action:
    return BadToken(why)


def _gone(_case: Case, why: str) -> Action:
    return Gone(why)


def _moved(case: Case, why: str) -> Action:
    to = moved_to(case)
    if to is None or isinstance(case.request, EmailsRequest) or case.request.moves >= MAX_MOVES:
        return GiveUp("address", why)
    return Moved(to)


def _give_up(code: Literal["sso", "forbidden", "address", "refused"]) -> Callable[[Case, str], Action]:
    return lambda _case, why: GiveUp(code, why)


def _limit_ends(case: Case) -> float:
    if case.retry_after is not None:
        wait = case.retry_after
    elif case.rate is not None and case.rate.remaining == 0:
        wait = case.rate.resets_at - case.now
    else:
        wait = 60.0 * 2**case.strikes
    return case.now + min(LONGEST_WAIT, max(1.0, wait))


_LIMITED = frozenset({"RATE_LIMITED", "RATE_LIMIT"})
_TOO_LARGE = frozenset({"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED"})
_NOT_FOUND = frozenset({"NOT_FOUND"})
_NOT_OURS = frozenset({"FORBIDDEN"})

_SECONDARY = r"secondary.rate|abuse.detection|wait a few minutes"
_PRIMARY = r"rate limit (already )?exceeded"
_SSO = r"saml|single sign|x-github-sso"
_BLOCKED = r"access blocked|dmca"
_STUMBLED = r"something went wrong|timeout|timed out"

_SERVER = range(500, 600)

_SLOW_DOWN = "GitHub asks to slow down"
_USED_UP = "GitHub's hourly limit is used up"
_TOO_MUCH = "GitHub could not answer so much at once"
_NOT_SHOWN = "GitHub does not show this repository"
_SIGN_ON = "The organisation asks for single sign-on: authorise the token for it, or use another"
_FORBIDDEN = "GitHub forbids this repository to the token: let it read public repositories, or use another"
_ADDRESS = "GitHub's API is not at this address: check GITHUB_API_URL and GITHUB_GRAPHQL_URL"
_TOKEN = "GitHub does not accept the token: set GITHUB_TOKEN to a valid one"  # noqa: S105 - a sentence

TABLE: tuple[Row, ...] = (
    # No response.
    Row(failure="connect", then=_retry, why="GitHub cannot be reached"),
    Row(failure="timeout", then=_halve, why="GitHub did not answer in time"),
    Row(failure="dropped", then=_retry, why="The connection to GitHub broke off"),
    Row(failure="too-large", then=_halve, why="GitHub's answer was larger than Podium reads"),
    # Limits in each of their shapes, before all else: to ask on makes them longer.
    Row(status=(200, 403, 429), says=_SECONDARY, then=_secondary, why=_SLOW_DOWN),
    Row(status=(200, 403, 429), types=_LIMITED, then=_primary, why=_USED_UP),
    Row(status=(200, 403, 429), says=_PRIMARY, then=_primary, why=_USED_UP),
    Row(status=(403, 429), spent=True, then=_primary, why=_USED_UP),
    Row(status=(403, 429, *_SERVER), told_to_wait=True, then=_secondary, why=_SLOW_DOWN),
    Row(status=(429,), then=_secondary, why=_SLOW_DOWN),
    # The token, the address, the repository.
    Row(status=(401,), then=_bad_token, why=_TOKEN),
    Row(status=(301, 302, 307, 308), api="core", then=_moved, why=_ADDRESS),
    Row(status=range(300, 400), then=_give_up("address"), why=_ADDRESS),
    Row(status=(404, 405, 410), api="graphql", then=_give_up("address"), why=_ADDRESS),
    Row(status=(404, 410, 451), then=_gone, why=_NOT_SHOWN),
    Row(status=(403,), says=_BLOCKED, then=_gone, why=_NOT_SHOWN),
    Row(status=(403,), says=_SSO, then=_give_up("sso"), why=_SIGN_ON),
    Row(status=(403,), then=_give_up("forbidden"), why=_FORBIDDEN),
    # An empty repository (409), a commit that it does not have (422).
    Row(status=(409, 422), api="core", then=_done),
    # The server stumbled.
    Row(status=(413, 502, 504), then=_halve, why=_TOO_MUCH),
    Row(status=(408, *_SERVER), then=_retry, why="GitHub has a fault of its own"),
    Row(status=range(400, 500), then=_give_up("refused"), why="GitHub refuses the request"),
    # 200: the answer is in the body.
    Row(status=(200,), readable=False, then=_retry, why="GitHub's answer was cut short, or is no JSON"),
    Row(status=(200,), whole=True, then=_done),
    Row(status=(200,), types=_TOO_LARGE, then=_halve, why=_TOO_MUCH),
    Row(status=(200,), repository=_NOT_FOUND, then=_gone, why=_NOT_SHOWN),
    Row(status=(200,), repository=_NOT_OURS, says=_SSO, then=_give_up("sso"), why=_SIGN_ON),
    Row(status=(200,), repository=_NOT_OURS, then=_give_up("forbidden"), why=_FORBIDDEN),
    Row(status=(200,), says=_STUMBLED, then=_halve, why=_TOO_MUCH),
    Row(
        status=(200,),
        api="graphql",
        data=False,
        says=".",
        then=_give_up("refused"),
        why="GitHub refuses the query",
    ),
    Row(then=_retry, why="GitHub answered less than it was asked"),
)
