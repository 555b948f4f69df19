from __future__ import annotations

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse, Response

from podium import __version__
from podium.errors import NotReady, PodiumError
from podium.repositories.store import queries
from podium.web.access import MetricsOnly
from podium.web.api import schemas
from podium.web.api.error_responses import error_responses
from podium.web.api.query_parameters import each_once
from podium.web.services import ContextDep

# Prometheus' oldest text format, which every scraper reads.
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

router = APIRouter(dependencies=[Depends(each_once)])


@router.get(
    "/health",
    tags=["server"],
    summary="Check that the process answers",
    operation_id="health",
    response_model=schemas.Health,
)
async def health() -> JSONResponse:
    """Answers as long as the process runs; checks nothing else."""
    return JSONResponse({"status": "ok"})


@router.get(
    "/ready",
    tags=["server"],
    summary="Check that database and queue can be used",
    operation_id="ready",
    response_model=schemas.Health,
    responses=error_responses(_503="One of them cannot be used."),
)
def ready(context: ContextDep) -> JSONResponse:
    """Reads from the database and checks the queue."""
    try:
        with context.services.db.read() as session:
            queries.check_readable(session)
        context.services.queue_ready()
    except PodiumError as error:
        raise NotReady(error.message) from error
    return JSONResponse({"status": "ready"})


@router.get(
    "/version",
    tags=["server"],
    summary="Read the version",
    operation_id="version",
    response_model=schemas.Version,
)
async def version() -> JSONResponse:
    """The name and the version."""
    return JSONResponse({"name": "podium", "version": __version__})


@router.get(
    "/metrics",
    tags=["server"],
    summary="Metrics for Prometheus",
    operation_id="metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **error_responses(
            _401="Needs the token for metrics or the administrator's.",
            _403="The server has neither.",
            _429="Too many wrong tokens.",
        ),
    },
)
def metrics(context: ContextDep, _: MetricsOnly) -> Response:
    """The counters of this process, and the gauges of the whole installation."""
    return Response(context.services.metrics(), media_type=METRICS_TYPE)
