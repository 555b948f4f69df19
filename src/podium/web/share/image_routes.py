"""``/r/…/badge.svg`` and ``/r/…/card.svg``: images for other sites, without full e-mail addresses."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from podium.avatars.image_type import AvatarImage
from podium.leaderboard.board import Document, read_board
from podium.leaderboard.board_data import BoardData
from podium.leaderboard.export import card
from podium.leaderboard.rules import Rules
from podium.repositories.model import Repository
from podium.web.api.error_responses import Problem
from podium.web.api.query_parameters import RulesQuery, each_once
from podium.web.cache.cached_response import CachedResponse, SendCached
from podium.web.cache.conditional import cache_control
from podium.web.cache.response_shortcut import Shortcut
from podium.web.services import Context, ContextDep
from podium.web.share import badge
from podium.web.share.board_lookup import NOT_FOUND, BoardPath, how_long, repository_at
from podium.web.share.image_options import BadgeQuery, CardQuery, EmbeddedQuery

# Seconds that a card waits for the fetch of avatars.
TIMEOUT = 4.0
# Bytes of avatars in one card; further people get initials.
MAX_BYTES = 1_000_000

_SVG = "image/svg+xml"
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The image; it says so if nothing is counted yet, or if counting failed.",
        "content": {_SVG: {"schema": {"type": "string"}}},
    },
    304: {"description": "Unchanged since the response named by If-None-Match."},
    400: {"model": Problem, "description": "A parameter is not valid."},
    422: {"model": Problem, "description": "The board is too large."},
    429: {"model": Problem, "description": "Too many reads."},
    404: {
        "description": "Never submitted; an image that says so.",
        "content": {_SVG: {"schema": {"type": "string"}}, **NOT_FOUND},
    },
}

router = APIRouter(dependencies=[Depends(each_once)])


@router.get(
    "/r/{path:board}/badge.svg",
    tags=["sharing"],
    summary="Read a board's badge",
    operation_id="getBadge",
    response_class=Response,
    responses=_RESPONSES,
)
async def get_badge(
    request: Request, path: BoardPath, query: Annotated[BadgeQuery, Query()], context: ContextDep
) -> Response:
    """A small image for a README: how many people made this."""
    rules = query.rules()
    what = _what(query, rules)
    row = await repository_at(context, path, query.rev)
    if row is None:
        return _unknown(*_badge(context, badge.of_state("unknown", query.show, query.label), query.theme))

    def make(row: Repository, data: BoardData | None) -> CachedResponse:
        board = _document(data, query, rules, 1)
        if board is None:
            shown = badge.of_state(row.shown_state, query.show, query.label)
        else:
            shown = badge.of_board(board, query.show, query.label)
        return _body(*_badge(context, shown, query.theme), how_long(row))

    usual = query.is_usual()
    context.shortcuts.remember(request, Shortcut(row.key, what, live=False, usual=usual))
    return SendCached(await context.boards.get(row, what, make, usual=usual, reader=context.reader(request)))


def _badge(context: Context, shown: badge.Badge, theme: str) -> tuple[str, str]:
    return context.renderer.text("badge.svg", **badge.values(shown, theme)), badge.style_of(shown.kind, theme)


@router.get(
    "/r/{path:board}/card.svg",
    tags=["sharing"],
    summary="Read a board's card",
    operation_id="getCard",
    response_class=Response,
    responses=_RESPONSES,
)
async def get_card(
    request: Request, path: BoardPath, query: Annotated[CardQuery, Query()], context: ContextDep
) -> Response:
    """An image of a board's first people, with their avatars embedded."""
    rules = query.rules()
    what = _what(query, rules)
    found = await repository_at(context, path, query.rev)
    if found is None:
        shown = card.of_state({"owner": "", "name": path, "url": path, "revision": query.rev}, "unknown", query.theme)
        return _unknown(*_card(shown, query.theme))
    reader, usual = context.reader(request), query.is_usual()

    def shown_avatars(_: Repository, data: BoardData | None) -> CachedResponse:
        people = (_document(data, query, rules, query.count) or {"top_contributors": []})["top_contributors"]
        return CachedResponse.json([entry["avatarUrl"] for entry in people if entry["avatarUrl"]])

    kept = await context.boards.get(found, ("avatars", *what), shown_avatars, usual=usual, reader=reader)
    urls: list[str] = json.loads(kept.plain)
    avatars = await context.services.avatars.load(urls, TIMEOUT)
    complete = len(avatars) == len(set(urls))

    def make(row: Repository, data: BoardData | None) -> CachedResponse:
        board = _document(data, query, rules, query.count)
        captions = query.captions == "show"
        if board is None:
            shown = card.of_state(
                {"owner": row.owner, "name": row.name, "url": row.url, "revision": row.revision},
                row.shown_state,
                query.theme,
            )
        else:
            embedded = data_urls((entry["avatarUrl"] for entry in board["top_contributors"]), avatars)
            shown = card.of_board(board, embedded, count=query.count, captions=captions, theme=query.theme)
        # A missing avatar may only be late.
        return _body(*_card(shown, query.theme), how_long(row) if complete else cache_control(30, 300))

    digests = tuple(image.digest for image in avatars.values())
    return SendCached(await context.boards.get(found, (*what, digests, complete), make, usual=usual, reader=reader))


def _card(shown: dict[str, Any], theme: str) -> tuple[str, str]:
    return card.draw(shown), card.style_of(theme)


def data_urls(urls: Iterable[str | None], avatars: Mapping[str, AvatarImage]) -> dict[str, str]:
    """The first avatars of :data:`MAX_BYTES` in all, as ``data:`` URLs."""
    room, found = MAX_BYTES, {}
    for url in urls:
        image = avatars.get(url or "")
        if url and image is not None and len(image.data) <= room:
            room -= len(image.data)
            found[url] = f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"
    return found


def policy(style: str) -> str:
    """The Content-Security-Policy of an image with that style sheet and embedded avatars."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    styles = f"style-src 'sha256-{digest}'; " if style else ""
    return (
        f"default-src 'none'; img-src data:; {styles}"
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
    )


def _what(query: EmbeddedQuery, rules: Rules) -> tuple[object, ...]:
    """What a response depends on besides the board."""
    others = (value for name, value in query if name not in RulesQuery.model_fields)
    return type(query).__name__, rules, *others


def _document(data: BoardData | None, query: EmbeddedQuery, rules: Rules, count: int) -> Document | None:
    if data is None:
        return None
    return read_board(query.ranked(data, rules), limit=count, offset=0, show_emails=False)


def _body(svg: str, style: str, lasting: str) -> CachedResponse:
    return CachedResponse.of(svg.encode(), _SVG, _headers(style, lasting))


def _unknown(svg: str, style: str) -> Response:
    return Response(svg, 404, _headers(style, cache_control(60)), _SVG)


def _headers(style: str, lasting: str) -> dict[str, str]:
    return {
        "Cache-Control": lasting,
        "Content-Security-Policy": policy(style),
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
