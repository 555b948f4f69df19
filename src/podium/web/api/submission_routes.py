"""The API's routes that submit, retry and refresh repositories: plain functions, because database calls block."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse

from podium.audit import audit_log
from podium.errors import BadRule
from podium.repositories.address import Address, parse_address
from podium.repositories.listing import as_new, describe
from podium.repositories.model import Repository, State
from podium.repositories.revision import parse_revision
from podium.submissions import admin, submit
from podium.submissions.refresh import refresh as refresh_accounts
from podium.submissions.refresh_interval import check_interval, set_interval
from podium.textutil.plural import plural
from podium.web.access import AdminOnly, require_admin
from podium.web.api import schemas
from podium.web.api.error_responses import ADMIN, BAD_QUERY, error_responses
from podium.web.api.query_parameters import OptionalRepositoryQuery, RepositoryQuery, SubmissionQuery, each_once
from podium.web.clients import client_of
from podium.web.services import Context, ContextDep

# Seconds until a waiting client should ask again.
_ASK_AGAIN = {"Retry-After": "2"}

router = APIRouter(dependencies=[Depends(each_once)])


def address_of(context: Context, text: str, rev: str | None = None) -> Address:
    """Parse an address and the name of a branch or tag.

    Raises:
        BadAddress, BadRule: one of them is not valid.
    """
    address = parse_address(text, context.services.settings.github_server_url)
    revision = parse_revision(rev or "")
    return address if revision is None else address.at_revision(revision)


def never_submitted(address: Address) -> str:
    url, _, quoted = address.url.partition("#")
    what, rev = ("repository", "") if address.revision is None else ("branch or tag", f"&rev={quoted}")
    return f"This {what} was never submitted: POST /leaderboard?repoUrl={url}{rev} submits it."


@router.post(
    "/leaderboard",
    tags=["leaderboard"],
    summary="Submit a repository",
    operation_id="submitRepository",
    response_model=schemas.SubmissionResponse,
    responses={
        202: {"model": schemas.SubmissionResponse, "description": "New, or still being processed: ask again."},
        **BAD_QUERY,
        **error_responses(
            _401="`refreshEvery` without the administrator's token.",
            _403="`refreshEvery`, and the server has no administrator.",
            _429="Too many submissions.",
            _503="Too much waits to be counted.",
        ),
    },
)
def submit_repository(
    request: Request, query: Annotated[SubmissionQuery, Query()], context: ContextDep
) -> JSONResponse:
    """Start counting a new repository, or a branch or tag of one; return the state of a known one.

    A completed repository with an old board is counted again, and its board stays readable meanwhile.
    """
    settings = context.services.settings
    if query.refresh_every is not None:
        require_admin(request.scope, settings)
        check_interval(query.refresh_every)
        if query.rev is not None:
            raise BadRule("refreshEvery is for default branches: leave out rev.")
    found = submit_address(request, context, query.repo_url, query.rev)
    if found.repository.hidden_at is not None:
        return submission(context, as_new(found.repository), is_new=True)
    row = found.repository
    if query.refresh_every is not None:
        row = set_interval(
            context.services.db,
            row.id,
            query.refresh_every,
            every=settings.refresh_interval(),
            actor=audit_log.API,
        )
    return submission(context, row, is_new=found.is_new, refreshing=found.refreshing)


def submit_address(request: Request, context: Context, text: str, rev: str | None) -> submit.Submission:
    """Submit what a client entered, in the API or in the page's form.

    Raises:
        TooManyRequests: the client has reached its limit.
        QueueFull: the repository is new, and too much waits.
        BadAddress, BadRule: the address or the revision is not valid, or not allowed here.
    """
    client = client_of(request.scope)
    context.submissions.take(client)
    address = address_of(context, text, rev)
    context.policy.check(address)
    services = context.services
    return submit.submit(
        services.db,
        services.queues,
        address,
        refresh_after=services.settings.refresh_after,
        client_id=services.client_ids.of(client),
        capacity=context.capacity,
        max_revisions=services.settings.max_revisions,
    )


def retry_address(request: Request, context: Context, text: str, rev: str | None) -> Repository:
    """Retry a failed repository for a client, in the API or in the page's form; it counts as a submission.

    Raises:
        TooManyRequests: the client has reached its limit.
        QueueFull: too much waits.
        BadAddress, BadRule: the address or the revision is not valid, or not allowed here.
        NotFound, Conflict: it was never submitted, or has not failed.
    """
    client = client_of(request.scope)
    context.submissions.take(client)
    address = address_of(context, text, rev)
    context.policy.check(address)
    services = context.services
    return admin.retry_one(
        services.db,
        services.queues,
        address.key,
        client_id=services.client_ids.of(client),
        capacity=context.capacity,
    )


def submission(context: Context, row: Repository, *, is_new: bool = False, refreshing: bool = False) -> JSONResponse:
    content = {
        "message": message_of(row, is_new=is_new, refreshing=refreshing),
        "stage": row.state.stage,
        **describe(row, context.queue.of(row)),
        "refreshing": refreshing,
        "retryable": row.state == State.FAILED,
    }
    in_work = row.state.is_unfinished
    return JSONResponse(content, 202 if in_work else 200, headers=_ASK_AGAIN if in_work else None)


def message_of(row: Repository, *, is_new: bool, refreshing: bool) -> str:
    if is_new:
        return "Accepted: the commits will be counted. GET the same URL for the board."
    if refreshing:
        return "The board is being refreshed; the present one stays readable."
    match row.state:
        case State.COMPLETED:
            return f"The board is ready. {row.refresh_error}" if row.waiting_code else "The board is ready."
        case State.FAILED:
            return f"{row.error} POST /repositories/retry?repoUrl=… tries again."
        case State.USERS_PROCESSING:
            return "The commits are counted and the board is readable; accounts are being looked up."
    return row.waiting_reason or "The commits are being counted."


@router.post(
    "/repositories/retry",
    tags=["leaderboard"],
    summary="Retry a failed repository",
    operation_id="retryRepository",
    status_code=202,
    response_model=schemas.SubmissionResponse,
    responses={
        **BAD_QUERY,
        **error_responses(
            _404="Never submitted.",
            _409="It has not failed.",
            _429="Too many submissions.",
            _503="Too much waits to be counted.",
        ),
    },
)
def retry_repository(request: Request, query: Annotated[RepositoryQuery, Query()], context: ContextDep) -> JSONResponse:
    """Start a repository again that failed or waits for a retry. It counts as a submission."""
    return submission(context, retry_address(request, context, query.repo_url, query.rev))


@router.post(
    "/refresh",
    tags=["administration"],
    summary="Look up accounts again",
    operation_id="refresh",
    status_code=202,
    response_model=schemas.Refresh,
    responses={
        **BAD_QUERY,
        **ADMIN,
        **error_responses(_404="Never submitted.", _409="It has failed."),
    },
)
def refresh(query: Annotated[OptionalRepositoryQuery, Query()], context: ContextDep, _: AdminOnly) -> JSONResponse:
    """Look up the accounts that were not found, of one repository or of all."""
    services = context.services
    if query.repo_url is None and query.rev is not None:
        raise BadRule("rev needs repoUrl: name the repository of the branch or tag.")
    key = None if query.repo_url is None else address_of(context, query.repo_url, query.rev).key
    count = refresh_accounts(services.db, services.queues, key, services.stale_rows, actor=audit_log.API)
    message = f"Accounts are being looked up again in {plural(count, 'repository', 'repositories')}."
    return JSONResponse({"message": message, "repositories": count}, 202)
