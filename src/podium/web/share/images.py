"""``/r/…/badge.svg`` and ``/r/…/card.svg``: drawings for the pages of other sites, never with a whole e-mail."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from podium.faces.images import Face
from podium.leaderboard.board import read_board
from podium.leaderboard.ledger import Ledger, edition
from podium.storage.session import Row
from podium.web import schemas
from podium.web.boards import has_board
from podium.web.freshness import answer, etag_of, has, keep
from podium.web.queries import RulesQuery, each_once
from podium.web.services import Context, ContextDep
from podium.web.share import badge, card
from podium.web.share.boards import BoardPath, how_long, repository_at
from podium.web.share.drawing import policy
from podium.web.share.queries import BadgeQuery, CardQuery

# Seconds that a card waits for pictures that must be fetched first.
PATIENCE = 4.0

_SVG = "image/svg+xml"
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The drawing; where nothing is counted yet, or that failed, it says so.",
        "content": {_SVG: {"schema": {"type": "string"}}},
    },
    304: {"description": "The client has it already."},
    400: {"model": schemas.Problem, "description": "An option cannot be read."},
    404: {
        "description": "Never submitted; a drawing that says so.",
        "content": {_SVG: {"schema": {"type": "string"}}},
    },
}

router = APIRouter(dependencies=[Depends(each_once)])


@router.get(
    "/r/{path:board}/badge.svg",
    tags=["sharing"],
    summary="The badge of a board",
    operation_id="getBadge",
    response_class=Response,
    responses=_RESPONSES,
)
def get_badge(
    request: Request, path: BoardPath, query: Annotated[BadgeQuery, Query()], context: ContextDep
) -> Response:
    """A small drawing for a README: how many people made this."""
    row = repository_at(context, path)
    if row is None or not has_board(row):
        return _badge(request, context, row, query, badge.of_state(_state(row), query.show, query.label))
    etag = _etag(row, query)
    if has(request, etag):
        return _answer(request, "", etag, row=row, style=badge.style_of("figure", query.theme))
    shown = badge.of_board(_document(context, row, query, 1), query.show, query.label)
    return _badge(request, context, row, query, shown)


def _badge(request: Request, context: Context, row: Row | None, query: BadgeQuery, shown: badge.Badge) -> Response:
    svg = context.renderer.text("badge.svg", **badge.values(shown, query.theme))
    return _answer(request, svg, _etag(row, query), row=row, style=badge.style_of(shown.kind, query.theme))


@router.get(
    "/r/{path:board}/card.svg",
    tags=["sharing"],
    summary="The card of a board",
    operation_id="getCard",
    response_class=Response,
    responses=_RESPONSES,
)
async def get_card(
    request: Request, path: BoardPath, query: Annotated[CardQuery, Query()], context: ContextDep
) -> Response:
    """A drawing of the first faces of a board; the pictures are within it."""
    row = await run_in_threadpool(repository_at, context, path)
    if row is None or not has_board(row):
        named = row or {"owner": "", "name": path, "url": path}
        svg = context.renderer.text("card.svg", **card.of_state(named, _state(row), query.theme))
        return _answer(request, svg, _etag(row, query), row=row, style=card.style_of(query.theme))
    document = await run_in_threadpool(_document, context, row, query, query.count)
    urls = [entry["avatarUrl"] for entry in document["top_contributors"] if entry["avatarUrl"]]
    faces = await context.services.faces.faces(urls, PATIENCE)
    etag = _etag(row, query, [face.digest for face in faces.values()])
    svg = "" if has(request, etag) else await run_in_threadpool(_card, context, document, faces, query)
    # Where a picture is missing it may only be late.
    lasting = how_long(row) if len(faces) == len(set(urls)) else keep(30, 300)
    return _answer(request, svg, etag, row=row, style=card.style_of(query.theme), lasting=lasting)


def _card(context: Context, document: dict[str, Any], faces: dict[str, Face], query: CardQuery) -> str:
    names = query.names == "show"
    shown = card.of_board(document, faces, count=query.count, names=names, theme=query.theme)
    return context.renderer.text("card.svg", **shown)


def _state(row: Row | None) -> str:
    return "unknown" if row is None else str(row["state"])


def _document(context: Context, row: Row, query: RulesQuery, count: int) -> dict[str, Any]:
    def made(_: Row, ledger: Ledger | None) -> dict[str, Any]:
        if ledger is None:
            raise RuntimeError(f"the board of repository {row['id']} was there a moment ago")
        return read_board(ledger, query.rules(), limit=count, offset=0, show_emails=False)

    return context.boards.read_now(row["id"], made)


def _etag(row: Row | None, query: RulesQuery, *more: object) -> str:
    return etag_of(type(query).__name__, None if row is None else edition(row), query.rules(), repr(query), *more)


def _answer(
    request: Request, svg: str, etag: str, *, row: Row | None, style: str, lasting: str | None = None
) -> Response:
    headers = {
        "Cache-Control": lasting or how_long(row),
        "Content-Security-Policy": policy(style),
        # Other sites' pages are what it is for.
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return answer(request, svg, etag, headers, media_type=_SVG, status=404 if row is None else 200)
