"""The API's routes for operators: see the queues, retry and drop repositories."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import JSONResponse

from podium.monitoring.overview import as_json
from podium.submissions import admin
from podium.web.access import AdminOnly
from podium.web.api import queue_schemas
from podium.web.api.error_responses import ADMIN, BAD_QUERY, error_responses
from podium.web.api.query_parameters import RetryQuery, each_once
from podium.web.services import Context, ContextDep

router = APIRouter(dependencies=[Depends(each_once)])


@router.get(
    "/queues",
    tags=["administration"],
    summary="See the queues",
    operation_id="getQueues",
    response_model=queue_schemas.Overview,
    responses={**ADMIN, **error_responses(_503="Database or queue do not answer.")},
)
def get_queues(context: ContextDep, _: AdminOnly) -> JSONResponse:
    """What waits, what is worked on, what is dead; repositories by state; workers; GitHub's budget."""
    return JSONResponse(as_json(context.services.inspector.overview()))


@router.post(
    "/queues/retry",
    tags=["administration"],
    summary="Try failed repositories again",
    operation_id="retryQueues",
    status_code=202,
    response_model=queue_schemas.Retried,
    responses={**BAD_QUERY, **ADMIN, **error_responses(_404="There is none.", _409="One is completed.")},
)
def retry_queues(query: Annotated[RetryQuery, Query()], context: ContextDep, _: AdminOnly) -> JSONResponse:
    """Those that have failed start anew; those that wait for a later try are tried at once."""
    ids = admin.try_again(context.services.db, query.numbers())
    _forget_dead(context, set(query.numbers()) or None)
    return JSONResponse({"message": admin.retried(ids), "ids": ids}, 202)


@router.delete(
    "/queues/{id}",
    tags=["administration"],
    summary="Take a repository out of the queue",
    operation_id="dropFromQueue",
    response_model=queue_schemas.Dropped,
    responses={**BAD_QUERY, **ADMIN, **error_responses(_404="There is none.", _409="It is in no queue.")},
)
def drop_from_queue(
    repository_id: Annotated[int, Path(alias="id", ge=1, le=2**63 - 1)], context: ContextDep, _: AdminOnly
) -> JSONResponse:
    """It fails, with a reason that says so; whoever works on it can save nothing any more."""
    row = admin.drop(context.services.db, repository_id)
    _forget_dead(context, {repository_id})
    return JSONResponse({"message": admin.dropped(row), "id": repository_id})


def _forget_dead(context: Context, repository_ids: set[int] | None) -> None:
    queues = context.services.inspector.queues
    if queues is not None:
        queues.forget_dead(repository_ids)
