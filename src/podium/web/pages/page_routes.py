"""The routes of the pages: HTML that works without JavaScript, and the fragments and events that JavaScript fetches."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from podium.errors import BadAddress, BadRule, NotFound, PodiumError
from podium.leaderboard.board_data import BoardData
from podium.leaderboard.search import LONGEST
from podium.leaderboard.view import PARAMETERS as VIEW
from podium.leaderboard.view import View
from podium.repositories.address import parse_address
from podium.repositories.listing import no_such_id
from podium.repositories.model import Repository, State
from podium.repositories.queue_places import QueuePlace
from podium.repositories.revision import parse_revision
from podium.textutil.mask import is_email
from podium.web.access import count_email_lookup, shows_emails
from podium.web.cache.cached_response import CachedResponse, SendCached
from podium.web.cache.response_shortcut import Shortcut
from podium.web.clients import client_of
from podium.web.live.events import EventStream
from podium.web.pages.board.board_page import board_values, explanation, found, names_of_periods
from podium.web.pages.board.board_query import SWITCHES, BoardPageQuery
from podium.web.pages.board.board_urls import key_of, page_path
from podium.web.pages.home_routes import FormDep, Offset, board_of, owner_page
from podium.web.services import Context, ContextDep, SmallRead
from podium.web.share.meta import board_meta
from podium.web.share.snippets import share_values

router = APIRouter(include_in_schema=False)

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
OptionalNumber = Annotated[int | None, Query(ge=1, le=2**63 - 1)]


@router.get("/r/{path:path}")
async def board(
    request: Request,
    path: str,
    context: ContextDep,
    offset: Offset = 0,
    row: OptionalNumber = None,
) -> Response:
    find = request.query_params.get("find", "")
    try:
        wanted = await board_query(request, context, path, offset=offset, find=find, person=row)
    except BadRule as error:
        page = await _refusing(request, context, path, error)
        if page is None:
            raise
        return page
    return await _board(request, context, wanted)


async def _refusing(request: Request, context: Context, path: str, error: BadRule) -> Response | None:
    """The board under the default rules, with the form that has the typed dates; None for programs and without a board.

    The status is 400: a program must not take this for the board that it asked for.
    """
    if "text/html" not in request.headers.get("accept", ""):
        return None
    try:
        key = key_of(path, context.services.settings.github_server_url, request.query_params.get("rev", ""))
        repository = await context.boards.row(key)
    except PodiumError:
        return None
    if repository is None or not repository.has_board:
        return None
    typed = {name: request.query_params.get(name, "")[:LONGEST] for name in ("since", "until")}
    return await _board(request, context, BoardPageQuery(path, SWITCHES), refused={"reason": error.message, **typed})


@router.post("/r/{path:path}")
async def search_board(request: Request, path: str, context: ContextDep, form: FormDep) -> Response:
    """Search without JavaScript; see :func:`_by_link`."""
    find = form.get("find", "").strip()[:LONGEST]
    return await _board(request, context, await board_query(request, context, path, find=find), posted=True)


def _by_link(find: str) -> bool:
    """Whether a search may stand in a URL, which browsers and proxies keep: an e-mail may not."""
    return not is_email(find)


async def _board(
    request: Request,
    context: Context,
    wanted: BoardPageQuery,
    *,
    posted: bool = False,
    refused: dict[str, str] | None = None,
) -> Response:
    github_url, rev, path = (
        context.services.settings.github_server_url,
        request.query_params.get("rev", ""),
        wanted.path,
    )
    try:
        key = key_of(path, github_url, rev)
    except BadAddress as error:
        # GitHub's host and an owner.
        if page := await owner_page(request, context, path, wanted.offset):
            return page
        raise HTTPException(404) from error
    except NotFound:
        # A whole URL has an empty segment.
        if meant := await board_of(context, path, rev):
            return RedirectResponse(meant, status_code=303)
        raise
    repository = await context.boards.row(key)
    if repository is None:
        return await _without_board(request, context, wanted, rev)
    if posted and _by_link(wanted.find):
        return RedirectResponse(of_repository(wanted, repository, context).link(find=wanted.find), status_code=303)
    return await _board_page(request, context, wanted, repository, key, refused=refused)


async def _without_board(request: Request, context: Context, wanted: BoardPageQuery, rev: str) -> Response:
    """The list of an owner's boards, the board that a URL means, or the offer to submit."""
    path = wanted.path
    if not rev and (page := await owner_page(request, context, path, wanted.offset)):
        return page
    # Of a clone or of a page at its host, behind /r/ or with this server in place of GitHub.
    if meant := await board_of(context, path, rev):
        return RedirectResponse(meant, status_code=303)
    return unknown_board(context, path, rev)


async def _board_page(
    request: Request,
    context: Context,
    wanted: BoardPageQuery,
    repository: Repository,
    key: str,
    *,
    refused: dict[str, str] | None,
) -> Response:
    known = context.origin(request)
    origin = known or str(request.base_url).rstrip("/")

    # It changes without its row. A board below is worth more than the place.
    place = None if repository.has_board else await _place(context, repository)

    def make(row: Repository, data: BoardData | None) -> CachedResponse:
        own, status = of_repository(wanted, row, context), context.status.values(row, place)
        ranked = data.under(own.rules) if data else None
        page = context.renderer.body(
            "board.html",
            refused=refused,
            **status,
            **(board_values(ranked, own) if ranked else {"board": None}),
            meta=board_meta(
                known,
                own.path,
                own.rules_parameters,
                title=status["repository"]["title"],
                ranked=ranked,
                version=status["version_of_board"],
            ),
            canonical=(known or "") + own.usual,
            switches=own.switches,
            changed=bool(own.chosen),
            path=own.path,
            wanted=own,
            share=share_values(origin, own.path, own.parameters, own.rules_parameters),
        )
        return dataclasses.replace(page, status=400) if refused else page

    if refused or wanted.find or wanted.person is not None or known is None or place is not None:
        return SendCached(await context.boards.read(repository, make, reader=context.reader(request)))
    shortcut = Shortcut(
        key,
        ("page", wanted.rules, *wanted.switches.values(), wanted.view, wanted.offset, origin),
        live=True,
        usual=not wanted.chosen and not wanted.view.chosen and not wanted.offset,
    )
    context.shortcuts.remember(request, shortcut)
    return SendCached(
        await context.boards.get(
            repository, shortcut.name, make, live=True, usual=shortcut.usual, reader=context.reader(request)
        )
    )


def unknown_board(context: Context, path: str, rev: str) -> Response:
    """The page of a repository that was never submitted."""
    address = _address_of(path, context.services.settings.github_server_url)
    name = f"{path} at {rev}" if parse_revision(rev) else path
    return context.renderer.page("unknown.html", status=404, name=name, address=address, rev=rev.strip(" "))


async def board_query(request: Request, context: Context, path: str, **more: Any) -> BoardPageQuery:
    """The query of a board's page; raises BadRule before any read."""
    switches = {name: request.query_params.get(name, "").strip() or default for name, default in SWITCHES.items()}
    given = {name: request.query_params[name].strip() for name in VIEW if request.query_params.get(name, "").strip()}
    view, show_emails = View.parse(**given), shows_emails(request, context.services)
    wanted = BoardPageQuery(path, switches, show_emails=show_emails, view=view, **more).on_this_day()
    await count_email_lookup(request, context, by_email=is_email(wanted.find))
    return wanted


def of_repository(wanted: BoardPageQuery, row: Repository, context: Context) -> BoardPageQuery:
    return dataclasses.replace(wanted, path=page_path(row, context.github_host), revision=row.revision)


def _address_of(path: str, github_url: str) -> str:
    with contextlib.suppress(BadAddress):
        return parse_address(path, github_url).url
    path = path.strip("/")
    is_at_github = path.count("/") == 1 and not {".", ":"} & {*path.partition("/")[0]}
    return f"{github_url}/{path}" if is_at_github else "https://" + path.replace("/-/", "/", 1)


async def _row(context: Context, number: int) -> Repository:
    row = await context.boards.row(number)
    if row is None:
        raise no_such_id(number)
    return row


async def _place(context: Context, row: Repository) -> QueuePlace | None:
    waits = row.state == State.PENDING
    return await run_in_threadpool(context.queue.of, row) if waits else None


@router.get("/status/{number}", dependencies=[SmallRead])
async def status(number: Number, context: ContextDep) -> Response:
    row = await _row(context, number)
    place = await _place(context, row)
    return SendCached(context.renderer.body("_status.html", **context.status.values(row, place)))


@router.get("/events/{number}")
async def events(request: Request, number: Number, context: ContextDep) -> Response:
    row = await _row(context, number)
    client = client_of(request.scope)
    channel = context.pubsub.subscribe(row, client)
    return EventStream(channel, lambda: context.pubsub.unsubscribe(row, channel, client))


@router.get("/follow/{number}", dependencies=[SmallRead])
async def follow(number: Number, context: ContextDep) -> Response:
    """The state of a board for its open pages, by which they see that it was counted again, moved or hidden."""
    row = await _row(context, number)
    return SendCached(CachedResponse.json(context.status.followed(row), {"Cache-Control": "no-cache"}))


@router.get("/row/{number}/{person}")
async def row_fragment(request: Request, number: Number, person: Number, context: ContextDep) -> Response:
    row = await _row(context, number)
    wanted = of_repository(await board_query(request, context, "", person=person), row, context)

    def make(_: Repository, data: BoardData | None) -> CachedResponse:
        why = explanation(data.under(wanted.rules), wanted) if data else None
        if why is None:
            raise NotFound("This row is no longer on the board: load the page again.")
        return context.renderer.body("board/_why.html", why=why, switches=wanted.switches)

    return SendCached(await context.boards.read(row, make, reader=context.reader(request)))


@router.get("/chart/{number}")
async def chart_names(request: Request, number: Number, context: ContextDep) -> Response:
    """The names that the tooltips of a board's chart show."""
    row = await _row(context, number)
    wanted = await board_query(request, context, "")
    rules = wanted.rules

    def make(_: Repository, data: BoardData | None) -> CachedResponse:
        return CachedResponse.json(names_of_periods(data.under(rules)) if data else {"since": None, "top": []})

    return SendCached(
        await context.boards.get(row, ("chart", rules), make, usual=not wanted.chosen, reader=context.reader(request))
    )


@router.get("/find/{number}")
async def find_fragment(request: Request, number: Number, context: ContextDep, find: str = "") -> Response:
    return await _found(request, number, context, find)


@router.post("/find/{number}")
async def find_email_fragment(request: Request, number: Number, context: ContextDep, form: FormDep) -> Response:
    return await _found(request, number, context, form.get("find", ""))


async def _found(request: Request, number: int, context: Context, find: str) -> Response:
    row = await _row(context, number)
    wanted = of_repository(await board_query(request, context, "", find=find), row, context)

    def make(_: Repository, data: BoardData | None) -> CachedResponse:
        return context.renderer.body(
            "board/_found.html", found=found(data.under(wanted.rules), wanted) if data and find else None
        )

    return SendCached(await context.boards.read(row, make, reader=context.reader(request)))


@router.get("/static/{path:path}")
async def static(path: str, context: ContextDep) -> Response:
    body = context.renderer.assets.find(path)
    if body is None:
        raise HTTPException(404)
    return SendCached(body)
