"""The address of a board's page, and back. Pure.

``/r/{owner}/{name}`` is a repository at the configured GitHub, ``/r/{host}/{path…}/{name}`` one elsewhere. A
repository at the root of its host has ``-`` for a path, so that two segments always mean GitHub; no segment of an
address begins with ``-``.

The files of a board (:data:`FILES`) lie beneath its page: ``/r/{owner}/{name}/badge.svg``. A repository elsewhere that
is named as one of them has a ``-`` before its name as well, so that its page is not taken for a file.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.convertors import Convertor, register_url_convertor

from podium.errors import NotFound
from podium.repositories.address import parse_address
from podium.storage.session import Row

FILES = ("badge.svg", "card.svg", "board.csv", "board.json", "board.md")


class _Text(Convertor[str]):
    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class BoardConvertor(_Text):
    """What stands before ``/badge.svg``: two segments or more, of which the last is no ``-``."""

    regex = "(?:[^/]+/)+(?!-/)[^/]+"


class FormatConvertor(_Text):
    """How the name of a board's file ends."""

    regex = "csv|json|md"


register_url_convertor("board", BoardConvertor())
register_url_convertor("format", FormatConvertor())


def page_path(row: Row, github_host: str) -> str:
    """The page of a repository's row."""
    if row["host"] == github_host:
        segments = [row["owner"], row["name"]]
    else:
        parted = ["-"] if row["owner"] and row["name"] in FILES else []
        segments = [row["host"], *(row["owner"] or "-").split("/"), *parted, row["name"]]
    return "/r/" + "/".join(quote(segment, safe=":[]@") for segment in segments)


def key_of(path: str, github_url: str) -> str:
    """The identity (``repository.key``) that a page's path, after ``/r/``, stands for.

    Raises:
        NotFound: no repository can have such a path.
        BadAddress: its two segments are no name at GitHub.
    """
    segments = path.rstrip("/").split("/")
    if len(segments) == 2:
        return parse_address(path.rstrip("/"), github_url).key
    # What no address has, a control character above all, no database need be asked for.
    if len(segments) < 2 or not all(segments) or not path.isprintable():
        raise NotFound("A board's page is /r/owner/name, or /r/host/owner/name for a repository elsewhere.")
    host, *owner, name = segments
    if owner[-1] == "-":
        owner = owner[:-1]
    return "/".join([host.lower(), *owner, name])
