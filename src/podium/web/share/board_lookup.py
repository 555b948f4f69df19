"""The repository that a URL names, and the lifetime of a response about it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path

from podium.errors import BadAddress, NotFound
from podium.repositories.listing import NEVER_SUBMITTED
from podium.repositories.model import Repository, State
from podium.web.api.error_responses import MEDIA_TYPE
from podium.web.cache.conditional import cache_control
from podium.web.pages.board.board_urls import key_of
from podium.web.services import Context

BoardPath = Annotated[
    str,
    Path(
        description="`owner/name` at the configured GitHub, `host/path/name` elsewhere: what follows `/r/` in the URL "
        "of the board's page.",
    ),
]
# A path of one segment is a page's, not a board's.
NOT_FOUND: dict[str, Any] = {
    MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}},
    "text/html": {"schema": {"type": "string"}},
}


async def repository_at(context: Context, path: str, rev: str | None) -> Repository | None:
    """Return the row at a page's path; raise BadRule if ``rev`` cannot be a branch or tag."""
    try:
        key = key_of(path, context.services.settings.github_server_url, rev)
    except (BadAddress, NotFound):
        return None
    return await context.boards.row(key)


async def submitted_at(context: Context, path: str, rev: str | None) -> Repository:
    """Like :func:`repository_at`, but raise if there is no row.

    Raises:
        NotFound: it was never submitted.
        BadRule: ``rev`` cannot be a branch or tag.
    """
    row = await repository_at(context, path, rev)
    if row is None:
        raise NotFound(NEVER_SUBMITTED)
    return row


def how_long(row: Repository, *, shared: bool = True) -> str:
    """The Cache-Control: the sooner the board may change, the shorter."""
    match row.state:
        case State.COMPLETED:
            return cache_control(300, 86_400, shared=shared)
        case State.FAILED:
            return cache_control(60, 600, shared=shared)
    return cache_control(10, 60, shared=shared)
