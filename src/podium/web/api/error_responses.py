"""The API's errors: ``application/problem+json`` (RFC 9457); browsers get an HTML page."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from podium.errors import (
    BadCommitLog,
    BadSignature,
    DatabaseAway,
    PodiumError,
    QueueFull,
    ReaderGone,
    StorageError,
    TooManyRequests,
)
from podium.web.authentication import is_administrator
from podium.web.former_names import Renamed, redirect
from podium.web.middleware.security_headers import add_security_headers

MEDIA_TYPE = "application/problem+json"
API_PATHS = (
    "/leaderboard",
    "/repositories",
    "/refresh",
    "/queues",
    "/blocks",
    "/people/forget",
    "/webhooks",
    "/health",
    "/ready",
    "/version",
    "/metrics",
    "/openapi.json",
)

log = logging.getLogger(__name__)


class Problem(BaseModel):
    """An error (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str = Field(description="What happened, and what to do.")
    error: str = Field(description="The same as `detail`.")
    code: str = Field(description="A stable identifier of the error.")


def error_responses(**statuses: str) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route, from ``_404="No such repository."``."""
    return {
        int(status.removeprefix("_")): {"model": Problem, "description": description}
        for status, description in statuses.items()
    }


BAD_QUERY = error_responses(_400="The URL or another parameter is not valid.")
ADMIN = error_responses(
    _401="Needs the administrator's token.",
    _403="The server has no administrator.",
    _429="Too many wrong tokens.",
)


def problem(status: int, detail: str, code: str, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    """An RFC 9457 response; ``error`` repeats ``detail`` for clients that look for this name."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "error": detail,
        "code": code,
        **more,
    }
    return JSONResponse(content, status, headers=headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    app.exception_handler(PodiumError)(_podium_error)
    app.exception_handler(Renamed)(redirect)
    app.exception_handler(ReaderGone)(_reader_gone)
    app.exception_handler(HTTPException)(_http_exception)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(Exception)(_unexpected)


def _answer(
    request: Request, status: int, detail: str, code: str, headers: Mapping[str, str] | None = None
) -> Response:
    if _wants_page(request):
        title = HTTPStatus(status).phrase
        context = request.app.state.context
        page: Response = context.renderer.page(
            "error.html", status=status, headers=headers, title=title, code=status, detail=detail
        )
        return page
    return problem(status, detail, code, headers)


def _wants_page(request: Request) -> bool:
    # Compare whole segments: /repositories-of-mine is not the API.
    if any(request.url.path == path or request.url.path.startswith(path + "/") for path in (*API_PATHS, "/static")):
        return False
    return "text/html" in request.headers.get("accept", "")


async def _podium_error(request: Request, error: PodiumError) -> Response:
    if isinstance(error, StorageError):
        # StaleAnswersMiddleware reads it.
        request.scope["podium.storage_error"] = True
    return _answer(request, error.status, _public(request, error), error.code, headers_of(error))


def headers_of(error: PodiumError) -> dict[str, str]:
    if isinstance(error, TooManyRequests | DatabaseAway):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, BadSignature):
        # RFC 9110, 15.5.2: each 401 names a scheme.
        return {"WWW-Authenticate": 'Webhook realm="podium"'}
    return {"WWW-Authenticate": 'Bearer realm="podium"'} if error.status == 401 else {}


async def _reader_gone(_: Request, error: ReaderGone) -> Response:
    # nginx' status for it; only metrics see it.
    return Response(status_code=error.status)


def _public(request: Request, error: PodiumError) -> str:
    if error.status < 500 or isinstance(error, QueueFull | BadCommitLog):
        return error.message
    log.error("%s %r: %s", request.method, request.url.path, error.message)
    if is_administrator(request.scope):
        return error.message
    if isinstance(error, DatabaseAway):
        return (
            "The database of this server does not answer, and the server keeps no copy of this: try again in a moment."
        )
    # The message may name folders and hosts of the operator.
    return "The server cannot do this right now: try again in a moment. The reason is in its log."


async def _http_exception(request: Request, error: HTTPException) -> Response:
    headers = error.headers
    # The phrase of 413 differs between versions of Python.
    phrase = "too large" if error.status_code == 413 else HTTPStatus(error.status_code).phrase
    detail, code = error.detail, phrase.lower().replace(" ", "-")
    if error.status_code == 404:
        detail = "There is nothing at this URL: / is the home page, and /docs lists the API."
    elif error.status_code == 405:
        headers = {"Allow": _allowed(request)}
        detail = f"{request.method} is not allowed here: use {headers['Allow']}."
    return _answer(request, error.status_code, detail, code, headers)


def _allowed(request: Request) -> str:
    # Starlette lists only the methods of the first matching route.
    matching = (route for route in request.app.state.routes if route.matches(request.scope)[0] is not Match.NONE)
    methods = {method for route in matching for method in route.methods} or {"GET"}
    # See HeadAsGet.
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    detail = " ".join(_sentence(found) for found in error.errors()[:5])
    return _answer(request, 400, detail, "bad-request")


def _sentence(found: Mapping[str, Any]) -> str:
    # Without the value, which may be a secret.
    name = str(found["loc"][-1])[:40]
    match found["type"]:
        case "missing" if name == "repoUrl":
            return "repoUrl is missing: add ?repoUrl=https://github.com/owner/name to the URL."
        case "missing":
            return f"{name} is missing."
        case "extra_forbidden":
            return f"Unknown parameter {name!r}: /docs lists the parameters."
    return f"{name} is not valid: {found['msg']}."


async def _unexpected(request: Request, _: Exception) -> Response:
    # Starlette calls this outside of all middleware; uvicorn logs the traceback.
    response = _answer(request, 500, "Podium has a bug: the traceback is in its log. Please report it.", "internal")
    add_security_headers(response.headers)
    return response
