"""The API: what is asked for is read from the query, done by the rooms, and answered as JSON.

Routes that are plain functions block while they use the database: FastAPI runs them in threads. Those of boards do
not: :class:`podium.web.boards.Boards` reads and makes what is not ready.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, Response

from podium import __version__
from podium.errors import Conflict, NotFound, PodiumError
from podium.leaderboard.board import read_board
from podium.leaderboard.explain import read_explanation
from podium.leaderboard.find import find, row_of
from podium.leaderboard.ledger import Ledger
from podium.leaderboard.overview import add_sparklines, read_overview
from podium.storage.session import Row
from podium.submissions import submit
from podium.submissions.address import Address, parse_address
from podium.submissions.repositories import describe, get, listing, stage_of
from podium.web import schemas
from podium.web.access import AdminOnly, shows_emails
from podium.web.boards import has_board, json_body
from podium.web.bodies import Body, BodyResponse
from podium.web.express import Plan
from podium.web.limits import client_of
from podium.web.problems import problem
from podium.web.queries import (
    BoardQuery,
    ExplainQuery,
    FindQuery,
    ListingQuery,
    OptionalRepositoryQuery,
    RepositoryQuery,
    RuledQuery,
    each_once,
)
from podium.web.schemas import ADMIN, BAD_QUERY, problems
from podium.web.services import Context, ContextDep

# What a client that waits for a worker may sensibly do: ask again in so many seconds.
_ASK_AGAIN = {"Retry-After": "2"}

router = APIRouter(dependencies=[Depends(each_once)])


_BOARD: dict[int | str, dict[str, Any]] = {
    202: {"model": schemas.Submission, "description": "The commits are still being counted: ask again."},
    304: {"description": "What was sent last time (If-None-Match) is still so."},
    **BAD_QUERY,
    **problems(_404="Never submitted.", _409="It failed, and there is no older board."),
}


def _address(context: Context, text: str) -> Address:
    return parse_address(text, context.services.settings.github_server_url)


@router.post(
    "/leaderboard",
    tags=["leaderboard"],
    summary="Submit a repository",
    operation_id="submitRepository",
    response_model=schemas.Submission,
    responses={
        202: {"model": schemas.Submission, "description": "New, or in work: ask again."},
        **BAD_QUERY,
        **problems(_429="Too many submissions."),
    },
)
def submit_repository(
    request: Request, query: Annotated[RepositoryQuery, Query()], context: ContextDep
) -> JSONResponse:
    """Start counting a repository that is new; tell where one stands that is known.

    A completed one whose board has grown old is refreshed, and its board stays readable meanwhile.
    """
    found = submit_address(request, context, query.repo_url)
    return _submission(found.repository, is_new=found.is_new, refreshing=found.refreshing)


def submit_address(request: Request, context: Context, text: str) -> submit.Submission:
    """Submit what a person gave, by the API or the page's form.

    Raises:
        TooManyRequests: the client has submitted too much.
        BadAddress: it is no address, or none that this server accepts.
        StorageError: the database cannot be written.
    """
    context.submissions.take(request)
    address = _address(context, text)
    context.policy.check(address)
    services = context.services
    return submit.submit(
        services.db,
        services.ring,
        address,
        refresh_after=services.settings.refresh_after,
        submitter=context.submitters.name(client_of(request)),
    )


def _submission(row: Row, *, is_new: bool = False, refreshing: bool = False) -> JSONResponse:
    content = {
        "message": _message(row, is_new=is_new, refreshing=refreshing),
        "stage": stage_of(row),
        **describe(row),
        "refreshing": refreshing,
        "retryable": row["state"] == "failed",
    }
    in_work = row["state"] not in ("completed", "failed")
    return JSONResponse(content, 202 if in_work else 200, headers=_ASK_AGAIN if in_work else None)


def _message(row: Row, *, is_new: bool, refreshing: bool) -> str:
    if is_new:
        return "Accepted: the commits will be counted. GET the same address for the board."
    if refreshing:
        return "The board is being refreshed; the one there is stays readable."
    match row["state"]:
        case "completed":
            return "The board is ready."
        case "failed":
            return f"{row['error']} POST /repositories/retry?repoUrl=… tries again."
        case "users_processing":
            return "The commits are counted, and the board is readable; accounts are being found."
    return "The commits are being counted."


@router.get(
    "/leaderboard",
    tags=["leaderboard"],
    summary="Read a board",
    operation_id="getLeaderboard",
    response_model=schemas.Board,
    responses=_BOARD,
)
async def get_leaderboard(request: Request, query: Annotated[BoardQuery, Query()], context: ContextDep) -> Response:
    """Rank the people of a repository under the given rules, from the moment its commits are counted."""
    rules = query.rules()
    emails = shows_emails(request, context.services)
    curves = query.sparklines == "include"

    def make(_: Row, ledger: Ledger) -> Body:
        document = read_board(ledger, rules, limit=query.limit, offset=query.offset, show_emails=emails)
        if curves:
            add_sparklines(ledger, rules, document)
        return json_body(document)

    what = ("leaderboard", rules, query.limit, query.offset, emails, curves)
    return await _ready(request, context, query.repo_url, what, make)


async def _ready(
    request: Request,
    context: Context,
    repo_url: str,
    what: tuple[object, ...],
    make: Callable[[Row, Ledger], Body],
) -> Response:
    """The answer ``what`` about a repository that has a board; else where it stands."""
    address = _address(context, repo_url)
    row = await context.boards.row(address.key)
    if row is None:
        raise NotFound(f"This repository was never submitted: POST /leaderboard?repoUrl={address.url} submits it.")
    if has_board(row):
        context.plans.remember(request, Plan(address.key, what, live=False))

        def made(row: Row, ledger: Ledger | None) -> Body:
            if ledger is None:
                raise Conflict("The board has gone meanwhile: ask again.")
            return make(row, ledger)

        return BodyResponse(await context.boards.get(row, what, made))
    if row["state"] == "failed":
        code = row["error_code"] or "failed"
        return problem(409, _message(row, is_new=False, refreshing=False), code, state="failed", retryable=True)
    return _submission(row)


@router.get(
    "/leaderboard/activity",
    tags=["leaderboard"],
    summary="Commits over time, and figures",
    operation_id="getActivity",
    response_model=schemas.Overview,
    responses=_BOARD,
)
async def get_activity(request: Request, query: Annotated[RuledQuery, Query()], context: ContextDep) -> Response:
    """What a board says as a whole: figures, the part of bots and AI, and the commits of every week."""
    rules = query.rules()
    return await _ready(
        request,
        context,
        query.repo_url,
        ("activity", rules),
        lambda _, ledger: json_body(read_overview(ledger, rules)),
    )


@router.get(
    "/leaderboard/find",
    tags=["leaderboard"],
    summary="Find somebody on a board",
    operation_id="findContributor",
    response_model=schemas.Found,
    responses=_BOARD,
)
async def find_contributor(request: Request, query: Annotated[FindQuery, Query()], context: ContextDep) -> Response:
    """Look for a part of a name or login, or a whole e-mail, and say why somebody is not there."""
    rules, emails = query.rules(), shows_emails(request, context.services)
    return await _ready(
        request,
        context,
        query.repo_url,
        ("find", rules, query.q, query.limit, emails),
        lambda _, ledger: json_body(find(ledger, rules, query.q, show_emails=emails, limit=query.limit)),
    )


@router.get(
    "/leaderboard/explain",
    tags=["leaderboard"],
    summary="Why a row has its number",
    operation_id="explainContributor",
    response_model=schemas.Explanation,
    responses=_BOARD,
)
async def explain_contributor(
    request: Request, query: Annotated[ExplainQuery, Query()], context: ContextDep
) -> Response:
    """One row by its rank, login or e-mail: its e-mails, its years, what is left out, how its account was found."""
    rules, who = query.rules(), query.who()
    emails = shows_emails(request, context.services)

    def make(_: Row, ledger: Ledger) -> Body:
        number = row_of(ledger, rules, **who)
        if number is None:
            raise NotFound("Nobody of this history is that: GET /leaderboard/find looks for names, logins and e-mails.")
        return json_body(read_explanation(ledger, rules, number, show_emails=emails))

    return await _ready(request, context, query.repo_url, ("explain", rules, *who.items(), emails), make)


@router.get(
    "/repositories",
    tags=["repositories"],
    summary="List repositories",
    operation_id="listRepositories",
    response_model=list[schemas.Repository],
    responses={
        200: {"headers": {"X-Total-Count": {"description": "How many in all.", "schema": {"type": "integer"}}}},
        **BAD_QUERY,
    },
)
def list_repositories(query: Annotated[ListingQuery, Query()], context: ContextDep) -> JSONResponse:
    """All repositories, newest first."""
    with context.services.db.read() as session:
        rows, total = listing(session, state=query.state, limit=query.limit, offset=query.offset)
    return JSONResponse([describe(row) for row in rows], headers={"X-Total-Count": str(total)})


@router.get(
    "/repositories/{id}",
    tags=["repositories"],
    summary="Read one repository",
    operation_id="getRepository",
    response_model=schemas.Repository,
    responses={**BAD_QUERY, **problems(_404="There is none.")},
)
def get_repository(
    repository_id: Annotated[int, Path(alias="id", ge=1, le=2**63 - 1)], context: ContextDep
) -> JSONResponse:
    """Where one repository stands."""
    with context.services.db.read() as session:
        return JSONResponse(describe(get(session, repository_id)))


@router.post(
    "/repositories/retry",
    tags=["administration"],
    summary="Retry a failed repository",
    operation_id="retryRepository",
    status_code=202,
    response_model=schemas.Submission,
    responses={
        **BAD_QUERY,
        **ADMIN,
        **problems(_404="Never submitted.", _409="It has not failed."),
    },
)
def retry_repository(query: Annotated[RepositoryQuery, Query()], context: ContextDep, _: AdminOnly) -> JSONResponse:
    """Set a failed repository in motion again."""
    services = context.services
    return _submission(submit.retry(services.db, services.ring, _address(context, query.repo_url).key))


@router.post(
    "/refresh",
    tags=["administration"],
    summary="Find accounts again",
    operation_id="refresh",
    status_code=202,
    response_model=schemas.Refresh,
    responses={
        **BAD_QUERY,
        **ADMIN,
        **problems(_404="Never submitted.", _409="It has failed."),
    },
)
def refresh(query: Annotated[OptionalRepositoryQuery, Query()], context: ContextDep, _: AdminOnly) -> JSONResponse:
    """Look again for the accounts that were not found: of one repository, or of all."""
    services = context.services
    key = None if query.repo_url is None else _address(context, query.repo_url).key
    count = submit.refresh(services.db, services.ring, key, services.reopen)
    message = f"Accounts are being looked up again in {count} {'repository' if count == 1 else 'repositories'}."
    return JSONResponse({"message": message, "repositories": count}, 202)


@router.get(
    "/health",
    tags=["server"],
    summary="Whether the process answers",
    operation_id="health",
    response_model=schemas.Health,
)
async def health() -> JSONResponse:
    """Answers as long as the process does; asks nobody else."""
    return JSONResponse({"status": "ok"})


@router.get(
    "/ready",
    tags=["server"],
    summary="Whether database and queue can be used",
    operation_id="ready",
    response_model=schemas.Health,
    responses=problems(_503="One of them cannot be used."),
)
def ready(context: ContextDep) -> JSONResponse:
    """Reads from the database and asks the queue."""
    try:
        with context.services.db.read() as session:
            session.value("SELECT max(id) FROM repository")
        context.services.queue_ready()
    except PodiumError as error:
        raise NotReady(error.message) from error
    return JSONResponse({"status": "ready"})


class NotReady(PodiumError):
    """The database or the queue cannot be used."""

    code = "not-ready"
    status = 503


@router.get(
    "/version",
    tags=["server"],
    summary="Which Podium this is",
    operation_id="version",
    response_model=schemas.Version,
)
async def version() -> JSONResponse:
    """The name and the version."""
    return JSONResponse({"name": "podium", "version": __version__})
