"""The page of a person of a board."""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from podium.errors import BadAddress
from podium.leaderboard.board_data import BoardData
from podium.leaderboard.rows.person_names import group_named, person_name
from podium.repositories.model import Repository
from podium.web.access import shows_emails
from podium.web.cache.cached_response import CachedResponse, SendCached
from podium.web.cache.response_shortcut import Shortcut
from podium.web.pages.board.board_query import BoardPageQuery
from podium.web.pages.board.board_urls import key_of, person_path
from podium.web.pages.page_routes import board_query, of_repository, unknown_board
from podium.web.pages.people.person_page import person_values
from podium.web.services import Context, ContextDep
from podium.web.share.meta import person_meta

router = APIRouter(include_in_schema=False)


class _UnknownError(Exception):
    """The board has no such person."""


@router.get("/r/{path:board}/-/people")
@router.get("/r/{path:board}/-/people/")
async def people(request: Request, path: str) -> Response:
    """The people of a board are the board."""
    query = request.url.query
    return RedirectResponse(f"/r/{quote(path, safe='/:[]@')}" + (f"?{query}" if query else ""), status_code=303)


@router.get("/r/{path:board}/-/people/{name:path}")
async def person(request: Request, path: str, name: str, context: ContextDep) -> Response:
    wanted = await board_query(request, context, path)
    rev = request.query_params.get("rev", "")
    try:
        key = key_of(path, context.services.settings.github_server_url, rev)
    except BadAddress as error:
        raise HTTPException(404) from error
    repository = await context.boards.row(key)
    if repository is None:
        return unknown_board(context, path, rev)
    if not repository.has_board:
        return RedirectResponse(of_repository(wanted, repository, context).link(), status_code=303)
    emails = shows_emails(request, context.services)
    known = context.origin(request)

    def make(row: Repository, data: BoardData | None) -> CachedResponse:
        own = of_repository(wanted, row, context)
        return _page(context, row, data, own, name, origin=known)

    shortcut = Shortcut(key, ("person page", wanted.rules, *wanted.switches.values(), name, emails, known), live=True)
    try:
        page = await context.boards.get(repository, shortcut.name, make, live=True, reader=context.reader(request))
    except _UnknownError:
        own = of_repository(wanted, repository, context)
        values = context.status.values(repository)
        return context.renderer.page("unknown_person.html", status=404, **values, name=name, wanted=own)
    context.shortcuts.remember(request, shortcut)
    return SendCached(page)


def _page(
    context: Context, row: Repository, data: BoardData | None, wanted: BoardPageQuery, name: str, *, origin: str | None
) -> CachedResponse:
    if data is None:
        raise _UnknownError
    ranked = data.under(wanted.rules)
    group = group_named(ranked, name.removesuffix("/"))
    if group is None:
        raise _UnknownError
    own = person_name(ranked, group)
    if own != name:
        # Not for ever: rows join and part, and logins change.
        return CachedResponse.see_other(wanted.person_link(own))
    values: dict[str, Any] = context.status.values(row)
    shown = person_values(ranked, group, dataclasses.replace(wanted, offset=0))
    return context.renderer.body(
        "person.html",
        **values,
        **shown,
        meta=person_meta(
            origin,
            person_path(wanted.path, own),
            wanted.rules_parameters,
            title=values["repository"]["title"],
            row=shown["row"],
            total=len(ranked.ranking.order),
            version=values["version_of_board"],
        ),
        switches=wanted.switches,
        wanted=wanted,
    )
