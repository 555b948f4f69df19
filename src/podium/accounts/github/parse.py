"""Parse GitHub's JSON and headers. No field is trusted unchecked; times become those of our own clock.

A GraphQL answer can have data and errors. A null means "no account" or "no such commit" only if no error's path refers
to it.
"""

from __future__ import annotations

import dataclasses
import email.utils
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from podium.accounts.lookup import GitHubAccount
from podium.textutil.raw_bytes import from_bytes

# GitHub's windows last an hour; a wait of more than a day is a mistake.
MAX_WAIT = 86_400.0

# GraphQL errors that a retry does not change.
FINAL = frozenset({"NOT_FOUND", "FORBIDDEN"})


@dataclasses.dataclass(frozen=True, slots=True)
class Rate:
    """``resets_at`` is in epoch seconds of our clock."""

    limit: int | None
    remaining: int
    resets_at: float


@dataclasses.dataclass(frozen=True, slots=True)
class WindowCommit:
    sha: str
    email: str
    account: GitHubAccount | None


@dataclasses.dataclass(frozen=True, slots=True)
class AuthorsPage:
    """``others`` says what to do about e-mails that are not among ``authors``."""

    others: Literal["retry", "missing", "other-commit", "next-page"]
    authors: tuple[tuple[str, GitHubAccount | None], ...] = ()
    cursor: str | None = None


def read_page(alias: str, repository: Mapping[str, Any], errors: Callable[[str], frozenset[str]]) -> AuthorsPage:
    error_types = errors(alias)
    if alias not in repository:
        return AuthorsPage("retry")
    is_final = not error_types - FINAL
    connection = mapping(mapping(repository[alias]).get("authors"))
    nodes = connection.get("nodes")
    if not isinstance(nodes, list):
        return AuthorsPage("missing" if is_final else "retry")
    people = [_author(mapping(node)) for node in nodes]
    # With an error, a null user is not an answer: only accounts count.
    authors = tuple(person for person in people if person and person[0] and (person[1] or not error_types))
    page_info = mapping(connection.get("pageInfo"))
    cursor = text_of(page_info.get("endCursor"))
    if page_info.get("hasNextPage") is True and cursor:
        return AuthorsPage("next-page", authors, cursor)
    if not is_final:
        return AuthorsPage("retry", authors)
    return AuthorsPage("missing" if None in people else "other-commit", authors)


def _author(node: Mapping[str, Any]) -> tuple[str, GitHubAccount | None] | None:
    user = node.get("user", "absent")
    account = _graphql_account(mapping(user))
    # A user without an id is neither an account nor "no account".
    if not isinstance(node.get("email"), str) or (user is not None and account is None):
        return None
    return email_of(node["email"]), account


def _graphql_account(user: Mapping[str, Any]) -> GitHubAccount | None:
    return _account(user.get("databaseId"), user, avatar="avatarUrl", profile="url")


def _rest_account(user: Mapping[str, Any]) -> GitHubAccount | None:
    account = _account(user.get("id"), user, avatar="avatar_url", profile="html_url")
    # REST's list of commits has no display names.
    return account and dataclasses.replace(account, name_known=False)


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
        address = email_of(mapping(mapping(entry.get("commit")).get("author")).get("email"))
        if sha and "author" in entry:
            # GitHub writes both null and {} for an e-mail without an account.
            yield WindowCommit(sha, address, _rest_account(mapping(entry.get("author"))))


def errors_by_alias(document: object) -> Callable[[str], frozenset[str]]:
    """The types of errors of what an alias in ``repository`` stands for."""
    return _errors(document, ("repository",))


def errors_by_field(document: object) -> Callable[[str], frozenset[str]]:
    """The types of errors of the query's own fields."""
    return _errors(document, ())


def _errors(document: object, inside: tuple[str, ...]) -> Callable[[str], frozenset[str]]:
    by_alias: dict[str, set[str]] = {}
    general: set[str] = set()
    for error in errors_of(document):
        match error.get("path"):
            case ["rateLimit", *_]:
                continue
            case [*path] if tuple(path[: len(inside)]) == inside and len(path) > len(inside):
                by_alias.setdefault(str(path[len(inside)]), set()).add(error_type(error))
            case _:
                general.add(error_type(error))
    return lambda alias: frozenset(general | by_alias.get(alias, set()))


def errors_of(document: object) -> list[Mapping[str, Any]]:
    errors = mapping(document).get("errors")
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def error_type(error: Mapping[str, Any]) -> str:
    """'' for errors without a type, such as 'Something went wrong'."""
    code = mapping(error.get("extensions")).get("code")
    return (text_of(error.get("type")) or text_of(code) or "").upper()


def rate_of(headers: Mapping[str, str], document: object, now: float) -> Rate | None:
    """The primary limit; None: unlimited (Enterprise Server)."""
    return _header_rate(headers, now) or _body_rate(document, headers, now)


def _header_rate(headers: Mapping[str, str], now: float) -> Rate | None:
    numbers = [_whole_number(headers.get(f"x-ratelimit-{key}", "")) for key in ("limit", "remaining", "reset")]
    limit, remaining, reset = numbers
    if remaining is None:
        return None
    resets_at = now + 3600 if reset is None else now + min(MAX_WAIT, reset - _server_time(headers, now))
    return Rate(limit, remaining, resets_at)


def _body_rate(document: object, headers: Mapping[str, str], now: float) -> Rate | None:
    stated = mapping(mapping(mapping(document).get("data")).get("rateLimit"))
    remaining, limit = stated.get("remaining"), stated.get("limit")
    if not isinstance(remaining, int):
        return None
    server_time = _server_time(headers, now)
    return Rate(
        limit=limit if isinstance(limit, int) else None,
        remaining=max(0, remaining),
        resets_at=now + min(MAX_WAIT, (_instant(stated.get("resetAt")) or server_time + 3600) - server_time),
    )


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """A number or a date (RFC 9110, 10.2.3)."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", text):
        return float(text)
    moment = _http_date(text)
    return None if moment is None else moment - _server_time(headers, now)


def _server_time(headers: Mapping[str, str], now: float) -> float:
    return _http_date(headers.get("date", "")) or now


def _whole_number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{1,12}", text.strip()) else None


def _http_date(text: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _instant(text: object) -> float | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def text_of(value: object, longest: int = 500) -> str | None:
    """Text for any database: no lone surrogates (JSON can have them), no NUL; '' becomes None."""
    if not isinstance(value, str):
        return None
    return value[:longest].encode("utf-8", "replace").decode().replace("\0", "") or None


def email_of(value: object) -> str:
    """An e-mail in the form that counts save: lower case in ASCII only."""
    return from_bytes((text_of(value) or "").encode().lower())


def _web_address(value: object) -> str | None:
    text = text_of(value, 2000)
    return text if text and text.startswith(("https://", "http://")) else None
