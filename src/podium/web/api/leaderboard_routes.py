"""The API's routes that read a board."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from podium.errors import Conflict, NotFound
from podium.leaderboard.board import read_board
from podium.leaderboard.board_data import BoardData
from podium.leaderboard.counts.row_roles import add_roles
from podium.leaderboard.figures import add_sparklines, read_figures
from podium.leaderboard.rows.explain import read_explanation
from podium.leaderboard.rows.person_document import read_person
from podium.leaderboard.rows.person_names import group_named
from podium.leaderboard.rows.row_order import shown
from podium.leaderboard.search import find, row_of
from podium.repositories.model import Repository, State
from podium.textutil.mask import is_email
from podium.web.access import count_email_lookup, shows_emails
from podium.web.api import schemas
from podium.web.api.error_responses import BAD_QUERY, error_responses, problem
from podium.web.api.query_parameters import (
    BoardQuery,
    ExplainQuery,
    FindQuery,
    PersonQuery,
    RepositoryQuery,
    RuledQuery,
    each_once,
)
from podium.web.api.submission_routes import address_of, message_of, never_submitted, submission
from podium.web.cache.boards import AnswerName
from podium.web.cache.cached_response import CachedResponse, SendCached
from podium.web.cache.response_shortcut import Shortcut
from podium.web.services import Context, ContextDep

router = APIRouter(dependencies=[Depends(each_once)])

_BOARD: dict[int | str, dict[str, Any]] = {
    202: {"model": schemas.SubmissionResponse, "description": "The commits are still being counted: ask again later."},
    304: {"description": "Unchanged since the response named by If-None-Match."},
    **BAD_QUERY,
    **error_responses(
        _404="Never submitted.",
        _409="Counting failed, and there is no older board.",
        _422="The board is too large.",
        _429="Too many reads.",
    ),
}


@router.get(
    "/leaderboard",
    tags=["leaderboard"],
    summary="Read a board",
    operation_id="getLeaderboard",
    response_model=schemas.Board,
    responses=_BOARD,
)
async def get_leaderboard(request: Request, query: Annotated[BoardQuery, Query()], context: ContextDep) -> Response:
    """Rank the people of a repository under the given rules, once its commits are counted."""
    rules, view = query.rules(), query.view()
    emails = shows_emails(request, context.services)
    curves, roles = query.sparklines == "include", query.roles == "include"

    def make(_: Repository, data: BoardData) -> CachedResponse:
        ranked = data.under(rules)
        document = read_board(ranked, limit=query.limit, offset=query.offset, show_emails=emails, view=view)
        groups = shown(ranked, view, show_emails=emails).groups
        if roles:
            add_roles(ranked, document, groups)
        if curves:
            add_sparklines(ranked, document, groups)
        return CachedResponse.json(document)

    name = ("leaderboard", rules, view, query.limit, query.offset, emails, curves, roles)
    return await _ready(request, context, query, name, make, usual=query.is_usual())


async def _ready(
    request: Request,
    context: Context,
    query: RepositoryQuery,
    name: AnswerName,
    make: Callable[[Repository, BoardData], CachedResponse],
    *,
    usual: bool = False,
    shortcut: bool = True,
) -> Response:
    """The response ``name``, or the state of a repository without a board.

    Args:
        usual: as for ``BoardCache.get``.
        shortcut: False for look-ups by e-mail, which a shortcut would answer before the limit counts.
    """
    address = address_of(context, query.repo_url, query.rev)
    row = await context.boards.row(address.key)
    if row is None:
        raise NotFound(never_submitted(address))
    if row.has_board:
        if shortcut:
            context.shortcuts.remember(request, Shortcut(address.key, name, live=False, usual=usual))

        def made(row: Repository, data: BoardData | None) -> CachedResponse:
            if data is None:
                raise Conflict("The board was deleted just now: ask again.")
            return make(row, data)

        return SendCached(await context.boards.get(row, name, made, usual=usual, reader=context.reader(request)))
    if row.state == State.FAILED:
        code = row.error_code or "failed"
        return problem(409, message_of(row, is_new=False, refreshing=False), code, state="failed", retryable=True)
    return await run_in_threadpool(submission, context, row)


@router.get(
    "/leaderboard/activity",
    tags=["leaderboard"],
    summary="Read activity and figures",
    operation_id="getActivity",
    response_model=schemas.Activity,
    responses=_BOARD,
)
async def get_activity(request: Request, query: Annotated[RuledQuery, Query()], context: ContextDep) -> Response:
    """The board as a whole: figures, the share of bots and of declared AI, and the commits of every week."""
    rules = query.rules()
    return await _ready(
        request,
        context,
        query,
        ("activity", rules),
        lambda _, data: CachedResponse.json(read_figures(data.under(rules))),
        usual=query.is_usual(),
    )


@router.get(
    "/leaderboard/find",
    tags=["leaderboard"],
    summary="Find people on a board",
    operation_id="findContributor",
    response_model=schemas.SearchResults,
    responses=_BOARD,
)
async def find_contributor(request: Request, query: Annotated[FindQuery, Query()], context: ContextDep) -> Response:
    """Search by a part of a name or login, or by a whole e-mail, and explain why someone is not ranked."""
    rules, emails = query.rules(), shows_emails(request, context.services)
    limited = await count_email_lookup(request, context, by_email=is_email(query.q))
    return await _ready(
        request,
        context,
        query,
        ("find", rules, query.q, query.limit, emails),
        lambda _, data: CachedResponse.json(find(data.under(rules), query.q, show_emails=emails, limit=query.limit)),
        shortcut=not limited,
    )


@router.get(
    "/leaderboard/explain",
    tags=["leaderboard"],
    summary="Explain a row's number",
    operation_id="explainContributor",
    response_model=schemas.Explanation,
    responses=_BOARD,
)
async def explain_contributor(
    request: Request, query: Annotated[ExplainQuery, Query()], context: ContextDep
) -> Response:
    """One row by rank, login or e-mail: its e-mails and years, the commits left out, and how its account was found."""
    rules, who = query.rules(), query.who()
    emails = shows_emails(request, context.services)
    limited = await count_email_lookup(request, context, by_email="email" in who)

    def make(_: Repository, data: BoardData) -> CachedResponse:
        ranked = data.under(rules)
        group = row_of(ranked, **who)
        if group is None:
            raise NotFound("No such person in this history: GET /leaderboard/find searches names, logins and e-mails.")
        return CachedResponse.json(read_explanation(ranked, group, show_emails=emails))

    return await _ready(request, context, query, ("explain", rules, *who.items(), emails), make, shortcut=not limited)


@router.get(
    "/leaderboard/person",
    tags=["leaderboard"],
    summary="Read a person",
    operation_id="getPerson",
    response_model=schemas.Person,
    responses=_BOARD | error_responses(_404="Never submitted, or no such person in its history."),
)
async def get_person(request: Request, query: Annotated[PersonQuery, Query()], context: ContextDep) -> Response:
    """One row by its name in addresses: years with ranks, weeks, roles, why each e-mail is here, the rows beside it."""
    rules, emails = query.rules(), shows_emails(request, context.services)

    def make(_: Repository, data: BoardData) -> CachedResponse:
        ranked = data.under(rules)
        group = group_named(ranked, query.person)
        if group is None:
            raise NotFound(
                "No such person in this history: give a login, or a number such as ~17 from a row's `person`. "
                "GET /leaderboard/find searches names, logins and e-mails."
            )
        return CachedResponse.json(read_person(ranked, group, show_emails=emails))

    return await _ready(request, context, query, ("person", rules, query.person, emails), make)
