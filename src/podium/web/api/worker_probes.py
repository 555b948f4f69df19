"""A worker's HTTP server."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from podium.errors import PodiumError
from podium.monitoring.readiness import Readiness, Stops
from podium.settings import Settings
from podium.web.access import require_metrics
from podium.web.api.error_responses import headers_of, problem
from podium.web.api.ready_response import ready_response
from podium.web.api.server_routes import METRICS_TYPE
from podium.web.authentication import Credentials
from podium.web.middleware.identify_caller import IdentifyCaller


@dataclasses.dataclass(frozen=True, slots=True)
class Probed:
    """A worker, as its probes see it.

    Attributes:
        readiness: what keeps the worker from working.
        metrics: in Prometheus' text format.
    """

    settings: Settings
    readiness: Readiness
    metrics: Callable[[], bytes]


def create_probes(probed: Probed) -> Starlette:
    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_request: Request) -> Response:
        # Only the operator reaches this port.
        return ready_response(await probed.readiness.problems_async(), fatal=Stops.WORK, details=True)

    async def metrics(request: Request) -> Response:
        try:
            require_metrics(request.scope, probed.settings)
        except PodiumError as error:
            return problem(error.status, error.message, error.code, headers_of(error))
        return Response(await run_in_threadpool(probed.metrics), media_type=METRICS_TYPE)

    routes = [Route("/health", health), Route("/ready", ready), Route("/metrics", metrics)]
    identify = Middleware(IdentifyCaller, credentials=Credentials(probed.settings))
    return Starlette(routes=routes, middleware=[identify])
