"""Decide what to do after an answer of GitHub, by the first matching row of :data:`TABLE`.

Sources: GitHub's pages on rate limits (REST and GraphQL: wait for ``retry-after``, else if ``x-ratelimit-remaining`` is
0 until ``x-ratelimit-reset``, else a minute and exponentially longer), and observed GraphQL answers: limits come as
HTTP 200 with the error type RATE_LIMITED or RATE_LIMIT.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

from podium.accounts.github.parse import MAX_WAIT, Rate, error_type, errors_of, mapping, rate_of, retry_after
from podium.accounts.github.requests import (
    Api,
    EmailsRequest,
    GitHubRequest,
    HeadsRequest,
    ParsedAnswer,
    RepositoryRequest,
    Response,
    TransportFailure,
    WindowRequest,
)

# A longer chain of redirects may be a loop.
MAX_MOVES = 3
MAX_BACKOFF = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    pass


@dataclasses.dataclass(frozen=True, slots=True)
class RetryAfter:
    """Repeat the unanswered part after at least ``seconds`` (without jitter)."""

    seconds: float
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Halve:
    """Ask for the unanswered part in two requests."""

    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class DelayUntil:
    """Do not use this token before ``until``.

    primary: the hourly points of this API are spent. secondary: too many requests in a short time, for all APIs.
    """

    until: float
    scope: Literal["primary", "secondary"]
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class BadToken:
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Gone:
    """The repository is deleted, private, blocked, or not visible to this token."""

    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Moved:
    to: str


@dataclasses.dataclass(frozen=True, slots=True)
class GiveUp:
    code: Literal["sso", "forbidden", "address", "refused"]
    reason: str


Action = Done | RetryAfter | Halve | DelayUntil | BadToken | Gone | Moved | GiveUp


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """``rate`` is None if the answer does not state it."""

    answer: ParsedAnswer
    action: Action
    rate: Rate | None = None


_LABELS: dict[type[Action], str] = {
    Done: "done",
    RetryAfter: "fault",
    Halve: "too_much",
    BadToken: "bad_token",
    Gone: "gone",
    Moved: "moved",
}


def outcome_label(action: Action) -> str:
    match action:
        case DelayUntil(_, scope, _):
            return f"limited_{scope}"
        case GiveUp(code, _):
            return f"refused_{code}"
    return _LABELS[type(action)]


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """``messages`` never contains data: anyone can write a limit's words into an author's name. ``repository_types``
    are the types of errors about the whole repository.
    """

    request: GitHubRequest
    answer: ParsedAnswer
    now: float
    attempt: int
    strikes: int
    failure: str = ""
    detail: str = ""
    status: int = 0
    url: str = ""
    location: str = ""
    retry_after: float | None = None
    rate: Rate | None = None
    types: frozenset[str] = frozenset()
    repository_types: frozenset[str] = frozenset()
    messages: str = ""
    is_json: bool = False
    has_data: bool = False

    @property
    def api(self) -> Api:
        return self.request.api

    @property
    def complete(self) -> bool:
        return self.answer.complete

    @property
    def spent(self) -> bool:
        return self.rate is not None and self.rate.remaining == 0

    @property
    def has_retry_after(self) -> bool:
        return self.retry_after is not None


def _case(
    request: GitHubRequest, outcome: Response | TransportFailure, now: float, *, attempt: int, strikes: int
) -> Case:
    if isinstance(outcome, TransportFailure):
        case = Case(request, _no_answer(request), now, attempt, strikes)
        return dataclasses.replace(case, failure=outcome.kind, detail=outcome.detail)
    document = _document(outcome.body)
    errors = errors_of(document)
    return Case(
        request,
        request.parse(document) if outcome.status == 200 else _no_answer(request),
        now,
        attempt,
        strikes,
        status=outcome.status,
        url=outcome.url,
        location=outcome.headers.get("location", ""),
        retry_after=retry_after(outcome.headers, now),
        # A 401 states the limit of requests without a token.
        rate=rate_of(outcome.headers, document, now) if outcome.status != 401 else None,
        types=frozenset(map(error_type, errors)),
        repository_types=frozenset(error_type(error) for error in errors if error.get("path") == ["repository"]),
        messages=_messages(outcome, mapping(document), errors),
        is_json=isinstance(document, dict | list),
        has_data=isinstance(mapping(document).get("data"), dict),
    )


def _no_answer(request: GitHubRequest) -> ParsedAnswer:
    return ParsedAnswer(retry=request.asks if isinstance(request, EmailsRequest) else (), complete=False)


def _document(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _messages(response: Response, fields: Mapping[str, Any], errors: list[Mapping[str, Any]]) -> str:
    texts = [fields.get("message"), fields.get("documentation_url")]
    # GitHub repeats the name of a repository that does not exist, which can be the words of a limit.
    texts += [error.get("message") for error in errors if error_type(error) != "NOT_FOUND"]
    if "x-github-sso" in response.headers:
        texts.append("x-github-sso")
    if any(mapping(error.get("extensions")).get("saml_failure") for error in errors):
        texts.append("saml")
    return "\n".join(text[:1000] for text in texts[:100] if isinstance(text, str))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FaultRow:
    """All conditions of a row must hold."""

    then: Callable[[Case, str], Action]
    why: str = ""
    api: Api | None = None
    failure: str = ""
    status: Collection[int] = ()
    types: frozenset[str] = frozenset()
    repository_types: frozenset[str] = frozenset()
    messages: str = ""
    spent: bool | None = None
    has_retry_after: bool | None = None
    is_json: bool | None = None
    has_data: bool | None = None
    complete: bool | None = None

    def matches(self, case: Case) -> bool:
        flags = ("spent", "has_retry_after", "is_json", "has_data", "complete")
        return (
            self.api in (None, case.api)
            and self.failure in ("", case.failure)
            and (not self.status or case.status in self.status)
            and (not self.types or not self.types.isdisjoint(case.types))
            and (not self.repository_types or not self.repository_types.isdisjoint(case.repository_types))
            and re.search(self.messages, case.messages, re.IGNORECASE) is not None
            and all(getattr(self, flag) in (None, getattr(case, flag)) for flag in flags)
        )


def _done(_case: Case, _why: str) -> Action:
    return Done()


def _retry(case: Case, why: str) -> Action:
    return RetryAfter(min(MAX_BACKOFF, 2.0**case.attempt), f"{why} ({case.detail})" if case.detail else why)


def _halve(case: Case, why: str) -> Action:
    match case.request:
        case EmailsRequest(asks=parts) | HeadsRequest(names=parts):
            can_halve = len(parts) > 1
        case _:
            can_halve = False
    return Halve(why) if can_halve else _retry(case, why)


def _primary(case: Case, why: str) -> Action:
    return DelayUntil(_limit_ends(case), "primary", why)


def _secondary(case: Case, why: str) -> Action:
    return DelayUntil(_limit_ends(case), "secondary", why)


def _limit_ends(case: Case) -> float:
    if case.retry_after is not None:
        wait = case.retry_after
    elif case.rate is not None and case.rate.remaining == 0:
        wait = case.rate.resets_at - case.now
    else:
        # The exponent is bounded: a server that says when to come back may do so for days.
        wait = 60.0 * 2 ** min(case.strikes, 11)
    return case.now + min(MAX_WAIT, max(1.0, wait))


def _bad_token(_case: Case, why: str) -> Action:
    return BadToken(why)


def _gone(_case: Case, why: str) -> Action:
    return Gone(why)


def _give_up(code: Literal["sso", "forbidden", "address", "refused"]) -> Callable[[Case, str], Action]:
    return lambda _case, why: GiveUp(code, why)


def _moved(case: Case, why: str) -> Action:
    to = _redirect_path(case)
    if to is None or not isinstance(case.request, WindowRequest | RepositoryRequest) or case.request.moves >= MAX_MOVES:
        return GiveUp("address", why)
    return Moved(to)


def _redirect_path(case: Case) -> str | None:
    """None: the redirect leads to another API."""
    try:
        requested, target = urlsplit(case.url), urlsplit(urljoin(case.url, case.location))
    except ValueError:
        return None
    base = requested.path.removesuffix(case.request.call().path.partition("?")[0])
    is_same_server = (target.scheme, target.netloc) == (requested.scheme, requested.netloc)
    if not is_same_server or not target.path.startswith(base):
        return None
    path = target.path[len(base) :]
    match = re.fullmatch(r"(/repositories/\d+|/repos/[\w.%-]+/[\w.%-]+)(/commits)?/?", path)
    return match[1] if match else None


_LIMITED = frozenset({"RATE_LIMITED", "RATE_LIMIT"})
_TOO_LARGE = frozenset({"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED"})
_NOT_FOUND = frozenset({"NOT_FOUND"})
_NOT_ALLOWED = frozenset({"FORBIDDEN"})

_SECONDARY = r"secondary.rate|abuse.detection|wait a few minutes"
_PRIMARY = r"rate limit (already )?exceeded"
_CREDENTIALS = r"bad credentials|number of login attempts|account (was|is|has been) suspended|token.*(revoked|expired)"
_SSO = r"saml|single sign|x-github-sso"
_BLOCKED = r"access blocked|dmca"
_SERVER_FAULT = r"something went wrong|timeout|timed out"

_SERVER = range(500, 600)

_SLOW_DOWN = "GitHub asks to slow down"
_USED_UP = "GitHub's hourly limit is used up"
_TOO_MUCH = "The request was too large for GitHub"
_NOT_SHOWN = "GitHub does not show this repository"
_TAKEN_DOWN = "GitHub does not show this repository: it was taken down for legal reasons"
_SIGN_ON = "The organisation asks for single sign-on: authorise the token for it, or use another"
_FORBIDDEN = "GitHub forbids this repository to the token: let it read public repositories, or use another"
_ADDRESS = "GitHub's API is not at this address: check GITHUB_API_URL and GITHUB_GRAPHQL_URL"
_TOKEN = "GitHub does not accept the token: set GITHUB_TOKEN to a valid one"  # noqa: S105 - a sentence

TABLE: tuple[FaultRow, ...] = (
    FaultRow(failure="connect", then=_retry, why="GitHub cannot be reached"),
    FaultRow(failure="timeout", then=_halve, why="GitHub did not answer in time"),
    FaultRow(failure="dropped", then=_retry, why="The connection to GitHub was dropped"),
    FaultRow(failure="too-large", then=_halve, why="GitHub's answer was larger than Podium reads"),
    # Limits come first: more requests make them last longer.
    FaultRow(status=(200, 403, 429), messages=_SECONDARY, then=_secondary, why=_SLOW_DOWN),
    FaultRow(status=(200, 403, 429), types=_LIMITED, then=_primary, why=_USED_UP),
    FaultRow(status=(200, 403, 429), messages=_PRIMARY, then=_primary, why=_USED_UP),
    FaultRow(status=(403, 429), spent=True, then=_primary, why=_USED_UP),
    FaultRow(status=(403, 429, *_SERVER), has_retry_after=True, then=_secondary, why=_SLOW_DOWN),
    FaultRow(status=(429,), then=_secondary, why=_SLOW_DOWN),
    FaultRow(status=(401,), then=_bad_token, why=_TOKEN),
    FaultRow(status=(301, 302, 307, 308), api="core", then=_moved, why=_ADDRESS),
    FaultRow(status=range(300, 400), then=_give_up("address"), why=_ADDRESS),
    FaultRow(status=(404, 405, 410), api="graphql", then=_give_up("address"), why=_ADDRESS),
    FaultRow(status=(451,), then=_gone, why=_TAKEN_DOWN),
    FaultRow(status=(404, 410), then=_gone, why=_NOT_SHOWN),
    FaultRow(status=(403,), messages=_BLOCKED, then=_gone, why=_TAKEN_DOWN),
    FaultRow(status=(403,), messages=_SSO, then=_give_up("sso"), why=_SIGN_ON),
    FaultRow(status=(403,), messages=_CREDENTIALS, then=_bad_token, why=_TOKEN),
    FaultRow(status=(403,), then=_give_up("forbidden"), why=_FORBIDDEN),
    # An empty repository (409), an unknown commit (422).
    FaultRow(status=(409, 422), api="core", then=_done),
    FaultRow(status=(413, 502, 504), then=_halve, why=_TOO_MUCH),
    FaultRow(status=(408, *_SERVER), then=_retry, why="GitHub has an internal error"),
    FaultRow(status=range(400, 500), then=_give_up("refused"), why="GitHub refuses the request"),
    FaultRow(status=(200,), is_json=False, then=_retry, why="GitHub's answer was cut short, or is not JSON"),
    FaultRow(status=(200,), complete=True, then=_done),
    FaultRow(status=(200,), types=_TOO_LARGE, then=_halve, why=_TOO_MUCH),
    FaultRow(status=(200,), repository_types=_NOT_FOUND, then=_gone, why=_NOT_SHOWN),
    FaultRow(status=(200,), repository_types=_NOT_ALLOWED, messages=_SSO, then=_give_up("sso"), why=_SIGN_ON),
    FaultRow(status=(200,), repository_types=_NOT_ALLOWED, then=_give_up("forbidden"), why=_FORBIDDEN),
    FaultRow(status=(200,), messages=_SERVER_FAULT, then=_halve, why=_TOO_MUCH),
    FaultRow(
        status=(200,),
        api="graphql",
        has_data=False,
        messages=".",
        then=_give_up("refused"),
        why="GitHub refuses the query",
    ),
    FaultRow(then=_retry, why="GitHub's answer is incomplete"),
)


def judge(
    request: GitHubRequest, outcome: Response | TransportFailure, now: float, *, attempt: int = 0, strikes: int = 0
) -> Verdict:
    """Judge an outcome.

    Args:
        now: epoch seconds of the outcome.
        attempt: consecutive faults of this work; each doubles the back-off.
        strikes: consecutive secondary limits of this token; each doubles a wait that GitHub does not state.
    """
    case = _case(request, outcome, now, attempt=attempt, strikes=strikes)
    row = next(row for row in TABLE if row.matches(case))
    return Verdict(case.answer, row.then(case, row.why), case.rate)
