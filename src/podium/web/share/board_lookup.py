"""Finding the board that a file's address names, and for how long an answer about it may be kept."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from podium.errors import BadAddress, NotFound
from podium.storage.session import Row
from podium.web.cache.conditional import cache_control
from podium.web.pages.board_urls import key_of
from podium.web.services import Context

BoardPath = Annotated[
    str,
    Path(
        description="`owner/name` at the configured GitHub, `host/path/name` elsewhere: what stands after `/r/` in the "
        "address of the board's page."
    ),
]


async def repository_at(context: Context, path: str) -> Row | None:
    """The repository whose page has the address ``/r/{path}``; None where there is none.

    Raises:
        StorageError: the database cannot be read.
    """
    try:
        key = key_of(path, context.services.settings.github_server_url)
    except (BadAddress, NotFound):
        return None
    return await context.boards.row(key)


def how_long(row: Row, *, shared: bool = True) -> str:
    """The Cache-Control of an answer about a board: the shorter, the sooner it may change.

    Args:
        shared: whether the answer is everybody's; see :func:`podium.web.cache.conditional.cache_control`.
    """
    match row["state"]:
        case "completed":
            return cache_control(300, 86_400, shared=shared)
        case "failed":
            return cache_control(60, 600, shared=shared)
    return cache_control(10, 60, shared=shared)
