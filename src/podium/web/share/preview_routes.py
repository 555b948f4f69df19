"""``/r/…/preview.png``: what other sites show of a link to a board."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from podium.avatars.thumbnail import thumbnail
from podium.errors import NotFound
from podium.leaderboard.board import Document, entries, read_board
from podium.leaderboard.board_data import BoardData, Ranked
from podium.leaderboard.export.summary import title
from podium.leaderboard.rows.person_names import group_named
from podium.repositories.model import Repository, State
from podium.web.api.error_responses import Problem
from podium.web.api.query_parameters import each_once
from podium.web.cache.cached_response import CachedResponse, SendCached
from podium.web.cache.conditional import cache_control
from podium.web.live.status import board_version
from podium.web.pages.board.chart import chart_of
from podium.web.pages.people.person_page import person_chart
from podium.web.services import Context, ContextDep
from podium.web.share.board_lookup import NOT_FOUND, BoardPath, how_long, submitted_at
from podium.web.share.image_options import PreviewQuery
from podium.web.share.preview import pictures
from podium.web.share.preview.pictures import Pictures

# Seconds that an image waits for the fetch of avatars.
TIMEOUT = 4.0

PNG = "image/png"
# A shared cache shows for a day what was forgotten meanwhile.
IMMUTABLE = "public, max-age=31536000, s-maxage=86400, immutable"

router = APIRouter(dependencies=[Depends(each_once)])


# This route is before that of a board, which would match its path.
@router.get("/r/{path:board}/-/people/{name}/preview.png", include_in_schema=False)
async def get_person_preview(
    request: Request, path: BoardPath, name: str, query: Annotated[PreviewQuery, Query()], context: ContextDep
) -> Response:
    """What other sites show of a link to a person's page."""
    rules = query.rules()
    row = await submitted_at(context, path, query.rev)

    def person_of(data: BoardData) -> tuple[Ranked, int, Document]:
        ranked = query.ranked(data, rules)
        group = group_named(ranked, name)
        if group is None:
            raise NotFound("The board has no such person.")
        return ranked, group, entries(ranked, [group], show_emails=False)[0]

    def urls(data: BoardData) -> list[str]:
        entry = person_of(data)[2]
        return [entry["avatarUrl"]] if entry["avatarUrl"] else []

    def draw(data: BoardData, faces: Pictures) -> bytes:
        ranked, group, entry = person_of(data)
        place = f"rank {entry['rank']:,} of {len(ranked.ranking.order):,}" if entry["rank"] else "not ranked"
        return pictures.person_picture(
            entry, title_of_row(row), [place], person_chart(ranked, group), faces, typesetter=context.typesetter
        )

    return await preview(
        request, context, row, name=("person", name, rules, query.months), urls=urls, draw=draw, version=query.v
    )


@router.get(
    "/r/{path:board}/preview.png",
    tags=["sharing"],
    summary="Read a board's preview image",
    operation_id="getPreview",
    response_class=Response,
    responses={
        200: {
            "description": "1200 x 630 pixels; it says so if nothing is counted yet.",
            "content": {PNG: {"schema": {"type": "string", "format": "binary"}}},
        },
        304: {"description": "Unchanged since the response named by If-None-Match."},
        400: {"model": Problem, "description": "A parameter is not valid."},
        404: {"description": "Never submitted.", "content": NOT_FOUND},
        422: {"model": Problem, "description": "The board is too large."},
        429: {"model": Problem, "description": "Too many reads."},
    },
)
async def get_preview(
    request: Request, path: BoardPath, query: Annotated[PreviewQuery, Query()], context: ContextDep
) -> Response:
    """What other sites show of a link to the board's page: the podium and the commits over time."""
    rules = query.rules()
    row = await submitted_at(context, path, query.rev)

    def urls(data: BoardData) -> list[str]:
        document = read_board(query.ranked(data, rules), limit=pictures.PLACES, offset=0, show_emails=False)
        return [person["avatarUrl"] for person in document["top_contributors"] if person["avatarUrl"]]

    def draw(data: BoardData, faces: Pictures) -> bytes:
        ranked = query.ranked(data, rules)
        document = read_board(ranked, limit=pictures.PLACES, offset=0, show_emails=False)
        chart = chart_of(ranked.timeline, ranked.rules)
        return pictures.board_picture(document, title(document), chart, faces, context.typesetter)

    is_usual = query.model_copy(update={"v": None}).is_usual()
    return await preview(
        request,
        context,
        row,
        name=("board", rules, query.months),
        urls=urls,
        draw=draw,
        is_usual=is_usual,
        version=query.v,
    )


async def preview(
    request: Request,
    context: Context,
    row: Repository,
    *,
    name: tuple[object, ...],
    urls: Callable[[BoardData], list[str]],
    draw: Callable[[BoardData, Pictures], bytes],
    version: str | None,
    is_usual: bool = False,
) -> Response:
    """The image that ``draw`` makes of a repository's board in a thread, or that was kept of it.

    Args:
        name: all that the image depends on besides the board.
        urls: the avatars that it shows.
        version: of the board, if the request names one.

    Raises:
        TooManyRequests, ReaderGone: as for :meth:`podium.web.cache.boards.BoardCache.get`.
    """
    reader = context.reader(request)

    def avatars_of(_: Repository, data: BoardData | None) -> CachedResponse:
        return CachedResponse.json([] if data is None else urls(data))

    kept = await context.boards.get(row, ("preview avatars", *name), avatars_of, usual=is_usual, reader=reader)
    wanted: list[str] = json.loads(kept.plain)
    avatars = await context.services.avatars.load(wanted, TIMEOUT)
    complete = len(avatars) == len(set(wanted))

    def make(row: Repository, data: BoardData | None) -> CachedResponse:
        if data is None:
            image = pictures.state_picture(title_of_row(row), row.shown_state, context.typesetter)
        else:
            faces = {url: thumbnail(avatar, pictures.FACE) for url, avatar in avatars.items()}
            image = draw(data, {url: face for url, face in faces.items() if face is not None})
        # A missing avatar may only be late.
        lasting = how_long(row) if complete else cache_control(30, 300)
        if complete and row.state == State.COMPLETED and version == board_version(row):
            lasting = IMMUTABLE
        return CachedResponse.of(image, PNG, {"Cache-Control": lasting, "Cross-Origin-Resource-Policy": "cross-origin"})

    digests = tuple(avatar.digest for avatar in avatars.values())
    what = ("preview", *name, digests, complete, version == board_version(row))
    return SendCached(await context.boards.get(row, what, make, usual=is_usual, reader=reader))


def title_of_row(row: Repository) -> str:
    return title({"repository": {"owner": row.owner, "name": row.name, "url": row.url, "revision": row.revision}})
