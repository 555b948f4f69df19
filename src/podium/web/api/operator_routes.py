"""What an operator sees and does over HTTP: the queues, and the metrics."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import JSONResponse, Response

from podium.monitoring.overview import as_json
from podium.submissions import admin
from podium.web.access import AdminOnly, MetricsOnly
from podium.web.api import queue_schemas
from podium.web.api.query_parameters import RetryQuery, each_once
from podium.web.api.schemas import ADMIN, BAD_QUERY, problems
from podium.web.services import Context, ContextDep

# Prometheus' oldest text format, which every scraper reads.
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

router = APIRouter(dependencies=[Depends(each_once)])


@router.get(
    "/queues",
    tags=["administration"],
    summary="See the queues",
    operation_id="getQueues",
    response_model=queue_schemas.Overview,
    responses={**ADMIN, **problems(_503="Database or queue do not answer.")},
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
    responses={**BAD_QUERY, **ADMIN, **problems(_404="There is none.", _409="One is completed.")},
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
    responses={**BAD_QUERY, **ADMIN, **problems(_404="There is none.", _409="It is in no queue.")},
)
def drop_from_queue(
    repository_id: Annotated[int, Path(alias="id", ge=1, le=2**63 - 1)], context: ContextDep, _: AdminOnly
) -> JSONResponse:
    """It fails, with a reason that says so; whoever works on it can save nothing any more."""
    row = admin.drop(context.services.db, repository_id)
    _forget_dead(context, {repository_id})
    return JSONResponse({"message": admin.dropped(row), "id": repository_id})


@router.get(
    "/metrics",
    tags=["server"],
    summary="Metrics for Prometheus",
    operation_id="metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **problems(_401="The metrics' or the administrator's token is needed.", _403="Only from the server's machine."),
    },
)
def metrics(context: ContextDep, _: MetricsOnly) -> Response:
    """What this process has counted, and what is true of the whole installation."""
    return Response(context.services.metrics(), media_type=METRICS_TYPE)


def _forget_dead(context: Context, repository_ids: set[int] | None) -> None:
    queues = context.services.inspector.queues
    if queues is not None:
        queues.forget_dead(repository_ids)
