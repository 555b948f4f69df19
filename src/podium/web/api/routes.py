"""The API: what is asked for is read from the query, done by the rooms, and answered as JSON.

The routes are plain functions: FastAPI runs them in threads, and the database's calls block.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse

from podium import __version__
from podium.errors import NotReady, PodiumError
from podium.repositories.address import Address, parse_address
from podium.repositories.listing import describe, get, listing, stage_of
from podium.storage.session import Row
from podium.submissions import submit
from podium.web.access import AdminOnly
from podium.web.api import schemas
from podium.web.api.query_parameters import ListingQuery, OptionalRepositoryQuery, RepositoryQuery, each_once
from podium.web.api.schemas import ADMIN, BAD_QUERY, problems
from podium.web.middleware.rate_limit import client_of
from podium.web.services import Context, ContextDep

# What a client that waits for a worker may sensibly do: ask again in so many seconds.
_ASK_AGAIN = {"Retry-After": "2"}

router = APIRouter(dependencies=[Depends(each_once)])


def address_of(context: Context, text: str) -> Address:
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
    return submission(found.repository, is_new=found.is_new, refreshing=found.refreshing)


def submit_address(request: Request, context: Context, text: str) -> submit.Submission:
    """Submit what a person gave, by the API or the page's form.

    Raises:
        TooManyRequests: the client has submitted too much.
        BadAddress: it is no address, or none that this server accepts.
        StorageError: the database cannot be written.
    """
    context.submissions.take(request)
    address = address_of(context, text)
    context.policy.check(address)
    services = context.services
    return submit.submit(
        services.db,
        services.queues,
        address,
        refresh_after=services.settings.refresh_after,
        client_id=context.client_ids.name(client_of(request)),
    )


def submission(row: Row, *, is_new: bool = False, refreshing: bool = False) -> JSONResponse:
    content = {
        "message": message_of(row, is_new=is_new, refreshing=refreshing),
        "stage": stage_of(row),
        **describe(row),
        "refreshing": refreshing,
        "retryable": row["state"] == "failed",
    }
    in_work = row["state"] not in ("completed", "failed")
    return JSONResponse(content, 202 if in_work else 200, headers=_ASK_AGAIN if in_work else None)


def message_of(row: Row, *, is_new: bool, refreshing: bool) -> str:
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
        rows, total = listing(session, context.totals, state=query.state, limit=query.limit, offset=query.offset)
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
    return submission(submit.retry(services.db, services.queues, address_of(context, query.repo_url).key))


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
    key = None if query.repo_url is None else address_of(context, query.repo_url).key
    count = submit.refresh(services.db, services.queues, key, services.mark_stale)
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
