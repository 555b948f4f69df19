"""What the JSON of GitHub's answers says, read into values. Pure, and nothing in it is believed unseen.

GraphQL answers in parts: data and errors come side by side, and an error's path says which part is missing.
So a null is an answer ('nobody', 'no such commit') only where no error stands beside it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from podium.accounts.lookup import GitHubAccount

# Types of GraphQL errors that will be the same tomorrow: the object is not there, or not for us.
_FINAL = frozenset({"NOT_FOUND", "FORBIDDEN"})


@dataclasses.dataclass(frozen=True, slots=True)
class Rate:
    """What the primary limit leaves: points of this window, and when it ends (epoch seconds, our clock)."""

    limit: int | None
    remaining: int
    resets_at: float


@dataclasses.dataclass(frozen=True, slots=True)
class WindowCommit:
    """A commit of a REST window: its author's e-mail (lower-cased), and the account that GitHub gives it."""

    sha: str
    email: str
    account: GitHubAccount | None


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """What one alias of an answer says; ``state`` holds for an e-mail that it does not name."""

    state: Literal["again", "missing", "elsewhere", "further"]
    people: tuple[tuple[str, GitHubAccount | None], ...] = ()
    cursor: str | None = None


def read_page(alias: str, repository: Mapping[str, Any], troubles: Callable[[str], frozenset[str]]) -> Page:
    trouble = troubles(alias)
    if alias not in repository:
        return Page("again")
    lasting = not trouble - _FINAL
    authors = mapping(mapping(repository[alias]).get("authors"))
    nodes = authors.get("nodes")
    if not isinstance(nodes, list):
        # A null object, or an object that is no commit.
        return Page("missing" if lasting else "again")
    told = [_person(mapping(node)) for node in nodes]
    # Beside an error, a missing user is not an answer: only those who are there count.
    people = tuple(person for person in told if person and person[0] and (person[1] or not trouble))
    page_info = mapping(authors.get("pageInfo"))
    cursor = text_of(page_info.get("endCursor"))
    if page_info.get("hasNextPage") is True and cursor:
        return Page("further", people, cursor)
    if not lasting:
        return Page("again", people)
    # A null where a person was is as a null where a commit was.
    return Page("missing" if None in told else "elsewhere", people)


def _person(node: Mapping[str, Any]) -> tuple[str, GitHubAccount | None] | None:
    """The e-mail and the account of an author; None: the node does not say them."""
    user = node.get("user", "not told")
    account = _graphql_account(mapping(user))
    # A user without an id cannot be told from another: neither an account nor nobody.
    if not isinstance(node.get("email"), str) or (user is not None and account is None):
        return None
    return email_of(node["email"]), account


def _graphql_account(user: Mapping[str, Any]) -> GitHubAccount | None:
    return _account(user.get("databaseId"), user, avatar="avatarUrl", profile="url")


def _rest_account(user: Mapping[str, Any]) -> GitHubAccount | None:
    account = _account(user.get("id"), user, avatar="avatar_url", profile="html_url")
    # A commit's author is told without the name that the account goes by.
    return account and dataclasses.replace(account, name_told=False)


def _account(number: object, user: Mapping[str, Any], *, avatar: str, profile: str) -> GitHubAccount | None:
    login = text_of(user.get("login"))
    if type(number) is not int or not 0 < number < 2**63 or not login:
        return None
    return GitHubAccount(
        account_id=number,
        login=login,
        name=text_of(user.get("name")),
        avatar_url=_web_address(user.get(avatar)),
        profile_url=_web_address(user.get(profile)),
        is_bot=user.get("type") == "Bot",
    )


def window_commits(document: list[Any]) -> Iterator[WindowCommit]:
    for entry in map(mapping, document):
        sha = text_of(entry.get("sha"))
        email = email_of(mapping(mapping(entry.get("commit")).get("author")).get("email"))
        if sha and "author" in entry:
            # GitHub writes both null and {} for an e-mail that nobody owns.
            yield WindowCommit(sha, email, _rest_account(mapping(entry.get("author"))))


def troubles_of(document: object) -> Callable[[str], frozenset[str]]:
    """The types of the errors beside an alias: at it, under it, or about the whole repository or request."""
    by_alias: dict[str, set[str]] = {}
    above: set[str] = set()
    for error in errors_of(document):
        match error.get("path"):
            case ["repository", alias, *_]:
                by_alias.setdefault(str(alias), set()).add(error_type(error))
            case ["rateLimit", *_]:
                # Says nothing about people.
                continue
            case _:
                above.add(error_type(error))
    return lambda alias: frozenset(above | by_alias.get(alias, set()))


def errors_of(document: object) -> list[Mapping[str, Any]]:
    """The errors of a GraphQL answer; an empty list where there are none."""
    errors = mapping(document).get("errors")
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def error_type(error: Mapping[str, Any]) -> str:
    """The type of a GraphQL error in capitals; '' where GitHub gives none, as for 'Something went wrong'."""
    code = mapping(error.get("extensions")).get("code")
    return (text_of(error.get("type")) or text_of(code) or "").upper()


def body_rate(document: object, now: float, theirs: float) -> Rate | None:
    """The ``rateLimit`` of a GraphQL answer; None: not there (Enterprise Server without limits says null).

    ``theirs`` is what GitHub's clock says ``now``.
    """
    stated = mapping(mapping(mapping(document).get("data")).get("rateLimit"))
    remaining, limit = stated.get("remaining"), stated.get("limit")
    if not isinstance(remaining, int):
        return None
    return Rate(
        limit=limit if isinstance(limit, int) else None,
        remaining=max(0, remaining),
        resets_at=now + min(86_400, (_instant(stated.get("resetAt")) or theirs + 3600) - theirs),
    )


def _instant(text: object) -> float | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def text_of(value: object, longest: int = 500) -> str | None:
    """Text that every database takes: no lone surrogates (JSON can write them), no NUL; '' counts as None."""
    if not isinstance(value, str):
        return None
    return value[:longest].encode("utf-8", "replace").decode().replace("\0", "") or None


def email_of(value: object) -> str:
    return (text_of(value) or "").lower()


def _web_address(value: object) -> str | None:
    text = text_of(value, 2000)
    return text if text and text.startswith(("https://", "http://")) else None
