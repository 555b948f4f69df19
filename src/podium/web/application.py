from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute

from podium import __version__
from podium.web.administration import admin_routes, sign_in_routes
from podium.web.api import (
    error_responses,
    forget_routes,
    leaderboard_routes,
    openapi,
    queue_routes,
    repository_routes,
    server_routes,
    submission_routes,
)
from podium.web.cache.response_shortcut import ResponseShortcut
from podium.web.middleware.head_as_get import HeadAsGet
from podium.web.middleware.identify_caller import IdentifyCaller
from podium.web.middleware.metrics_middleware import MetricsMiddleware
from podium.web.middleware.proxy_watch import ProxyWatch
from podium.web.middleware.security_middleware import SecurityMiddleware
from podium.web.middleware.stale_answers import StaleAnswersMiddleware
from podium.web.pages import compare_routes, home_routes, page_routes, well_known_routes
from podium.web.pages.people import people_routes, person_routes
from podium.web.reference import docs_routes
from podium.web.services import Context, Services
from podium.web.share import avatar_routes, comparison_preview, download_routes, image_routes, preview_routes
from podium.web.webhooks import webhook_routes

__all__ = ["Services", "create_app"]

_TITLE = "Podium"


def create_app(services: Services) -> FastAPI:
    # FastAPI's pages load Swagger UI from another host, and its document is neither compressed nor kept.
    app = FastAPI(
        title=_TITLE,
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        routes=[*_routes()],
    )
    context = app.state.context = Context.of(services)
    services.on_removal.append(context.drop_copies)
    error_responses.install(app)
    app.openapi = _document  # type: ignore[method-assign]
    app.state.routes = _routes()
    _add_middleware(app, context)
    return app


@functools.cache
def _routes() -> Sequence[BaseRoute]:
    # FastAPI's include_router() works all of them out again at the first request, and is slower at every other one.
    return [route for router in _routers() for route in router.routes]


@functools.cache
def _document() -> dict[str, Any]:
    return openapi.described(_TITLE, __version__, _routes())


def _routers() -> Sequence[APIRouter]:
    # Last: the page's route /r/{path} also matches badges, cards and downloads.
    return [
        submission_routes.router,
        leaderboard_routes.router,
        repository_routes.router,
        queue_routes.router,
        forget_routes.router,
        webhook_routes.router,
        server_routes.router,
        avatar_routes.router,
        image_routes.router,
        preview_routes.router,
        comparison_preview.router,
        download_routes.router,
        well_known_routes.router,
        docs_routes.router,
        sign_in_routes.router,
        admin_routes.router,
        home_routes.router,
        person_routes.router,
        people_routes.router,
        compare_routes.router,
        page_routes.router,
    ]


def _add_middleware(app: FastAPI, context: Context) -> None:
    # Each wraps those before it: only metrics precede the security checks.
    services = context.services
    app.add_middleware(ResponseShortcut, shortcuts=context.shortcuts, boards=context.boards)
    app.add_middleware(StaleAnswersMiddleware, answers=context.stale_answers, origin=context.origin_of)
    app.add_middleware(HeadAsGet)
    if services.settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=services.settings.cors_origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "If-None-Match"],
            expose_headers=["X-Total-Count", "Retry-After", "ETag", "Podium-Stale", "Age"],
        )
    app.add_middleware(IdentifyCaller, credentials=context.credentials)
    app.add_middleware(SecurityMiddleware, settings=services.settings, loopback=services.loopback)
    app.add_middleware(ProxyWatch, settings=services.settings, loopback=services.loopback)
    app.add_middleware(MetricsMiddleware)
