"""What to do after an answer of GitHub: the verdicts that :mod:`podium.accounts.github.faults` gives."""

from __future__ import annotations

import dataclasses
from typing import Literal

from podium.accounts.github.parse import Rate
from podium.accounts.github.requests import Told


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to ask of this request."""


@dataclasses.dataclass(frozen=True, slots=True)
class Retry:
    """A passing fault: ask what was not told again, ``after`` seconds at the earliest (without jitter)."""

    after: float
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Halve:
    """Too much at once: ask what was not told in two requests."""

    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class DelayUntil:
    """A limit is in force: nothing more with this token before ``until`` (epoch seconds). Not a fault.

    primary: the hourly points of this API are spent. secondary: too much in too short a time, on all APIs.
    """

    until: float
    scope: Literal["primary", "secondary"]
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class BadToken:
    """GitHub does not know this token (any more): go on with another, or without."""

    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Gone:
    """GitHub does not show us this repository: deleted, private, blocked, or not there for this token.

    A window answers so for an unknown commit too; a :class:`RepositoryRequest` tells the two apart.
    """

    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Moved:
    """The repository answers at another path of the same API: ask there (``github_protocol.moved``)."""

    to: str


@dataclasses.dataclass(frozen=True, slots=True)
class GiveUp:
    """GitHubSession again cannot help; ``code`` tells the cases apart, ``reason`` is for people."""

    code: Literal["sso", "forbidden", "address", "refused"]
    reason: str


Action = Done | Retry | Halve | DelayUntil | BadToken | Gone | Moved | GiveUp


_WORDS: dict[type[Action], str] = {
    Done: "done",
    Retry: "fault",
    Halve: "too_much",
    BadToken: "bad_token",
    Gone: "gone",
    Moved: "moved",
}


def word(action: Action) -> str:
    """What came of a request, in one word of a small set: for counting."""
    match action:
        case DelayUntil(_, scope, _):
            return f"limited_{scope}"
        case GiveUp(code, _):
            return f"refused_{code}"
    return _WORDS[type(action)]


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What was told, what to do next, and what the primary limit leaves (None: the answer did not say)."""

    told: Told
    action: Action
    rate: Rate | None = None
