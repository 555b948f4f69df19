"""The API's routes for operators: read the queues, retry and drop repositories."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import JSONResponse

from podium.audit import audit_log
from podium.monitoring.overview import Overview, as_json
from podium.submissions import admin
from podium.web.access import AdminOnly
from podium.web.api import schemas
from podium.web.api.error_responses import ADMIN, BAD_QUERY, error_responses
from podium.web.api.query_parameters import RetryQuery, each_once
from podium.web.services import Context, ContextDep

router = APIRouter(dependencies=[Depends(each_once)])


@router.get(
    "/queues",
    tags=["administration"],
    summary="Read the queues",
    operation_id="getQueues",
    response_model=Overview,
    responses={**ADMIN, **error_responses(_503="The database or the queue does not answer.")},
)
def get_queues(context: ContextDep, _: AdminOnly) -> JSONResponse:
    """Messages by queue, repositories by state, leases, failures, workers, and GitHub's rate limit budget."""
    return JSONResponse(as_json(context.services.inspector.overview()))


@router.post(
    "/queues/retry",
    tags=["administration"],
    summary="Retry repositories",
    operation_id="retryQueues",
    status_code=202,
    response_model=schemas.RetriedRepositories,
    responses={**BAD_QUERY, **ADMIN, **error_responses(_404="No such repository.", _409="One of them is completed.")},
)
def retry_queues(query: Annotated[RetryQuery, Query()], context: ContextDep, _: AdminOnly) -> JSONResponse:
    """Failed repositories start from the beginning; those that wait for their next attempt start at once."""
    ids = admin.retry(context.services.db, query.numbers(), actor=audit_log.API)
    forget_dead(context, set(query.numbers()) or None)
    return JSONResponse({"message": admin.retry_message(ids), "ids": ids}, 202)


@router.delete(
    "/queues/{id}",
    tags=["administration"],
    summary="Take a repository out of the queue",
    operation_id="dropFromQueue",
    response_model=schemas.DroppedRepository,
    responses={**BAD_QUERY, **ADMIN, **error_responses(_404="No such repository.", _409="It is not in a queue.")},
)
def drop_from_queue(
    repository_id: Annotated[int, Path(alias="id", ge=1, le=2**63 - 1)], context: ContextDep, _: AdminOnly
) -> JSONResponse:
    """The repository fails with this as its reason; a worker that is processing it can no longer save."""
    row = admin.drop(context.services.db, repository_id, actor=audit_log.API)
    forget_dead(context, {repository_id})
    return JSONResponse({"message": admin.drop_message(row), "id": repository_id})


def forget_dead(context: Context, repository_ids: set[int] | None) -> None:
    """Drop dead messages of repositories; None: all."""
    queues = context.services.inspector.queues
    if queues is not None:
        queues.forget_dead(repository_ids)
