"""``/compare/preview.png``: what other sites show of a link to a comparison."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from podium.errors import BadRule, NotFound
from podium.leaderboard.board_data import BoardData, cache_key
from podium.repositories.model import Repository, State
from podium.web.api.compare_query import CompareQuery
from podium.web.api.submission_routes import address_of
from podium.web.cache.cached_response import CachedResponse, SendCached
from podium.web.pages.compare_answers import (
    answer_all,
    check_once,
    common_chart,
    fact_of,
    labels_of,
    title_of,
    version_of,
)
from podium.web.services import ContextDep, SmallRead
from podium.web.share.board_lookup import how_long
from podium.web.share.preview import pictures
from podium.web.share.preview_routes import IMMUTABLE, PNG

router = APIRouter()


class ComparisonPreviewQuery(CompareQuery):
    model_config = ConfigDict(extra="forbid")

    v: str | None = Field(None, max_length=16, pattern="^[0-9a-f]*$")


@router.get("/compare/preview.png", include_in_schema=False, dependencies=[SmallRead])
async def get_comparison_preview(
    request: Request, query: Annotated[ComparisonPreviewQuery, Query()], context: ContextDep
) -> Response:
    """The series of the comparison's chart, with the figures of each."""
    check_once(request)
    items = query.subjects()
    if not items:
        raise BadRule("Name what is compared: give repo twice, or one repo and window or person.")
    rules = [query.rules_of(item) for item in items]
    rows = [await context.boards.present_row(address_of(context, item.repo, item.rev).key) for item in items]
    first = next((row for row in rows if row is not None and row.has_board), None)
    if first is None:
        raise NotFound("No board of this comparison is counted yet.")
    is_lasting = query.v == version_of(rows) and all(row and row.state == State.COMPLETED for row in rows)
    keys = [None if row is None else cache_key(row) for row in rows]
    # The responses of all these boards are dropped by their keys.
    name = ("comparison preview", is_lasting, *items, *rules, *keys)
    found = await context.boards.find(first, name)
    if found is None:
        answers = await answer_all(request, query, context)
        labels = labels_of(query, answers)

        def make(_row: Repository, _data: BoardData | None) -> CachedResponse:
            title, chart = title_of(query.kind, labels, answers), common_chart(query.kind, labels, answers)
            facts = [fact_of(each) for each in answers if each.compared is not None]
            image = pictures.comparison_picture(title, chart, facts, context.typesetter)
            changing = next((row for row in rows if row and row.state != State.COMPLETED), first)
            lasting = IMMUTABLE if is_lasting else how_long(changing)
            headers = {"Cache-Control": lasting, "Cross-Origin-Resource-Policy": "cross-origin"}
            return CachedResponse.of(image, PNG, headers)

        found = await context.boards.get(first, name, make, reader=context.reader(request))
    return SendCached(found)
