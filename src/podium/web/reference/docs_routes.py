"""The page that documents the API, and the document that it is made from."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from podium.web.cache.cached_response import CachedResponse, SendCached
from podium.web.origin import known_origin
from podium.web.services import Context, ContextDep

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs(request: Request, context: ContextDep) -> Response:
    """Compressed and kept for each known origin; the examples of another name the usual one."""
    headers = dict(request.scope["headers"])
    origin = known_origin(request.scope, headers, context.services.settings) or "http://localhost:3000"
    return SendCached(await run_in_threadpool(_page, request, context, origin))


def _page(request: Request, context: Context, origin: str) -> CachedResponse:
    return context.reference.page(request.app.openapi(), origin)


@router.get("/openapi.json")
async def document(request: Request, context: ContextDep) -> Response:
    return SendCached(await run_in_threadpool(_document, request, context))


def _document(request: Request, context: Context) -> CachedResponse:
    return context.reference.document(request.app.openapi())
