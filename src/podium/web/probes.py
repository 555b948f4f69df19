"""What a worker answers over HTTP: whether it lives, and whether it can work."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from podium.errors import PodiumError
from podium.web.problems import problem


def create_probes(check: Callable[[], None]) -> Starlette:
    """``GET /health`` and ``GET /ready`` as the API has them; ``check`` raises a ``PodiumError`` when not ready."""

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_request: Request) -> Response:
        try:
            await run_in_threadpool(check)
        except PodiumError as error:
            return problem(503, error.message, "not-ready")
        return JSONResponse({"status": "ready"})

    return Starlette(routes=[Route("/health", health), Route("/ready", ready)])
