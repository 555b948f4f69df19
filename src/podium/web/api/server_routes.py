from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, Response

from podium import __version__
from podium.monitoring.readiness import Stops
from podium.web.access import MetricsOnly
from podium.web.api import schemas
from podium.web.api.error_responses import error_responses
from podium.web.api.query_parameters import each_once
from podium.web.api.ready_response import ready_response
from podium.web.authentication import is_administrator
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
    summary="Check that the server can do its work",
    operation_id="ready",
    response_model=schemas.Ready,
    responses=error_responses(_503="It cannot; `problems` says why."),
)
async def ready(
    context: ContextDep,
    request: Request,
    for_: Annotated[Literal["read", "write"], Query(alias="for")] = "read",
) -> Response:
    """Tries to write to the database, the queue and the disk, every five seconds at most.

    `degraded` with status 200: it serves what it has, and `problems` lists what does not work. `for=write`: 503 if
    anything keeps submissions from being accepted and counted.
    """
    fatal = Stops.WORK if for_ == "write" else Stops.READS
    problems = await context.services.readiness.problems_async()
    # While the database is away, a server that has boards continues serving them.
    spared = "database" if for_ == "read" and context.boards.has_rows else ""
    return ready_response(problems, fatal=fatal, spared=spared, details=is_administrator(request.scope))


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
