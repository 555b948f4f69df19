"""What came of a request, boiled down to what the table of faults looks at. Pure."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from podium.accounts.github.headers import header_rate, retry_after, their_clock
from podium.accounts.github.parse import Rate, body_rate, error_type, errors_of, mapping
from podium.accounts.github.requests import Api, EmailsRequest, Failure, Request, Response, Told


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """The facts of one outcome.

    ``says`` is the text of messages only, never data: anyone can write a limit's words into an author's name.
    ``repository`` holds the types of those errors that are about the repository as a whole.
    """

    request: Request
    told: Told
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
    repository: frozenset[str] = frozenset()
    says: str = ""
    readable: bool = False
    data: bool = False

    @property
    def api(self) -> Api:
        return self.request.api

    @property
    def whole(self) -> bool:
        return self.told.whole

    @property
    def spent(self) -> bool:
        return self.rate is not None and self.rate.remaining == 0

    @property
    def told_to_wait(self) -> bool:
        return self.retry_after is not None


def case_of(request: Request, outcome: Response | Failure, now: float, *, attempt: int = 0, strikes: int = 0) -> Case:
    """Gather the facts; the arguments are those of :func:`podium.accounts.github.faults.judge`."""
    if isinstance(outcome, Failure):
        nothing = Case(request, _nothing(request), now, attempt, strikes)
        return dataclasses.replace(nothing, failure=outcome.kind, detail=outcome.detail)
    document = _document(outcome.body)
    errors = errors_of(document)
    return Case(
        request,
        request.told(document) if outcome.status == 200 else _nothing(request),
        now,
        attempt,
        strikes,
        status=outcome.status,
        url=outcome.url,
        location=outcome.headers.get("location", ""),
        retry_after=retry_after(outcome, now),
        # Who is not accepted is told the budget of those without a token.
        # Who is not accepted is told the budget of those without a token.
        rate=_rate(outcome, document, now) if outcome.status != 401 else None,
        types=frozenset(map(error_type, errors)),
        repository=frozenset(error_type(error) for error in errors if error.get("path") == ["repository"]),
        says=_messages(outcome, mapping(document), errors),
        readable=isinstance(document, dict | list),
        data=isinstance(mapping(document).get("data"), dict),
    )


def moved_to(case: Case) -> str | None:
    """The path of the repository in the same API that a redirect names; None: it leads anywhere else."""
    try:
        asked, target = urlsplit(case.url), urlsplit(urljoin(case.url, case.location))
    except ValueError:
        # Not an address at all.
        return None
    base = asked.path.removesuffix(case.request.call().path.partition("?")[0])
    if (target.scheme, target.netloc) != (asked.scheme, asked.netloc) or not target.path.startswith(base):
        return None
    path = target.path[len(base) :]
    match = re.fullmatch(r"(/repositories/\d+|/repos/[\w.%-]+/[\w.%-]+)(/commits)?/?", path)
    return match[1] if match else None


def _rate(response: Response, document: object, now: float) -> Rate | None:
    return header_rate(response, now) or body_rate(document, now, their_clock(response, now))


def _nothing(request: Request) -> Told:
    return Told(again=request.asks if isinstance(request, EmailsRequest) else (), whole=False)


def _document(body: bytes) -> object:
    """The JSON of a body; None: it is none, was cut short, or nests deeper than anything honest."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _messages(response: Response, fields: Mapping[str, Any], errors: list[Mapping[str, Any]]) -> str:
    texts = [fields.get("message"), fields.get("documentation_url")]
    texts += [error.get("message") for error in errors]
    if "x-github-sso" in response.headers:
        texts.append("x-github-sso")
    if any(mapping(error.get("extensions")).get("saml_failure") for error in errors):
        texts.append("saml")
    return "\n".join(text[:1000] for text in texts[:100] if isinstance(text, str))
