"""The URL of a board's page, and the repository that a URL names.

``/r/{owner}/{name}`` is a repository at the configured GitHub, ``/r/{host}/{path…}/{name}`` one elsewhere. The path
of a repository at the root of its host is ``-``, so that two segments always mean GitHub; no segment of an address
begins with ``-``. Files (:data:`FILES`) are below the page; a repository elsewhere with such a name has another ``-``
before it. ``?rev=NAME`` is the board of a branch or tag. ``/-/people/{login}`` after a board's path is the page of a
person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from starlette.convertors import Convertor, register_url_convertor

from podium.errors import NotFound
from podium.repositories.address import parse_address, revision_key
from podium.repositories.model import Repository
from podium.repositories.revision import parse_revision

FILES = ("badge.svg", "card.svg", "preview.png", "board.csv", "board.json", "board.md")


class _Text(Convertor[str]):
    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class BoardConvertor(_Text):
    """At least two segments before ``/badge.svg``; the last is not ``-``."""

    regex = "(?:[^/]+/)+(?!-/)[^/]+"


class FormatConvertor(_Text):
    regex = "csv|json|md"


register_url_convertor("board", BoardConvertor())
register_url_convertor("format", FormatConvertor())


def with_query(path: str, parameters: Mapping[str, str] | Sequence[tuple[str, str]]) -> str:
    """``path`` and, if there are any, its parameters."""
    return f"{path}?{urlencode(parameters)}" if parameters else path


def page_path(row: Repository, github_host: str) -> str:
    if row.host == github_host:
        segments = [row.owner, row.name]
    else:
        parted = ["-"] if row.owner and row.name in FILES else []
        segments = [row.host, *(row.owner or "-").split("/"), *parted, row.name]
    return "/r/" + "/".join(quote(segment, safe=":[]@") for segment in segments)


def page_url(row: Repository, github_host: str) -> str:
    """The page's path and, for a branch or tag, its query."""
    return with_query(page_path(row, github_host), {} if row.revision is None else {"rev": row.revision})


def person_path(page: str, person: str) -> str:
    """The path of a person's page; ``person`` is a login or ``~N`` (:mod:`podium.leaderboard.rows.person_names`)."""
    return f"{page}/-/people/{quote(person, safe='[]')}"


def owner_path(row: Repository, github_host: str) -> str:
    """The page of all boards of the repository's owner; of its host if it lies at the root of one."""
    segments = [row.owner] if row.host == github_host else [row.host, *(row.owner.split("/") if row.owner else [])]
    return "/r/" + "/".join(quote(segment, safe=":[]@") for segment in segments)


def owner_key(path: str, github_host: str) -> str | None:
    """The beginning of the keys below a path after ``/r/``: an owner at GitHub, a host, or a host and an owner.

    None: no owner can have such a path.
    """
    first, *rest = path.strip("/").split("/")
    is_host = "." in first or ":" in first
    # PostgreSQL rejects NUL characters.
    if not first or not all(rest) or not path.isprintable() or "#" in path or (rest and not is_host):
        return None
    if not is_host:
        return f"{github_host}/{first}/".lower()
    host = first.lower()
    key = "/".join([host, *rest, ""])
    return key.lower() if host == github_host else key


def key_of(path: str, github_url: str, rev: str | None = None) -> str:
    """The ``repository.key`` that a path after ``/r/`` and a branch or tag name.

    Raises:
        NotFound: no repository can have such a path.
        BadAddress: its two segments are not a valid name at GitHub.
        BadRule: ``rev`` is not a valid name.
    """
    revision, key = parse_revision(rev or ""), _repository_key(path, github_url)
    return key if revision is None else revision_key(key, revision)


def _repository_key(path: str, github_url: str) -> str:
    segments = path.rstrip("/").split("/")
    if len(segments) == 2:
        return parse_address(path.rstrip("/"), github_url).key
    # PostgreSQL rejects NUL characters.
    if len(segments) < 2 or not all(segments) or not path.isprintable() or "#" in path:
        raise NotFound("A board's page is /r/owner/name, or /r/host/owner/name for a repository elsewhere.")
    host, *owner, name = segments
    if owner[-1] == "-":
        owner = owner[:-1]
    return "/".join([host.lower(), *owner, name])
