"""The web application, put together from what it is handed."""

from __future__ import annotations

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from podium import __version__
from podium.web.api import board_routes, openapi, operator_routes, problems, routes
from podium.web.cache.response_shortcut import Express
from podium.web.middleware.http_metrics import Measure
from podium.web.middleware.security import Security
from podium.web.pages import page_routes
from podium.web.services import Context, Services
from podium.web.share import avatar_routes, downloads, image_routes

__all__ = ["Services", "create_app"]


def create_app(services: Services) -> FastAPI:
    """The API and the page over ``services``."""
    # FastAPI's own pages load Swagger UI from another host.
    app = FastAPI(title="Podium", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False)
    context = app.state.context = Context.of(services)
    problems.install(app)
    openapi.install(app)
    # Before the pages, whose static files lie around it.
    app.mount("/static/swagger", StaticFiles(directory=Path(fastapi_offline.__file__).parent / "static"))
    # The page comes last: below /r/ it takes every address that is not a file's.
    routers = [
        routes.router,
        board_routes.router,
        operator_routes.router,
        avatar_routes.router,
        image_routes.router,
        downloads.router,
        page_routes.router,
    ]
    for router in routers:
        app.include_router(router)
    app.state.routes = [route for router in routers for route in router.routes]
    _add_middleware(app, context)
    return app


def _add_middleware(app: FastAPI, context: Context) -> None:
    # Each one is put around those before it: security sees a request before all but the count.
    services = context.services
    app.add_middleware(Express, plans=context.plans, boards=context.boards)
    app.add_middleware(HeadAsGet)
    if services.settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=services.settings.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["X-Total-Count", "Retry-After"],
        )
    app.add_middleware(Security, settings=services.settings, loopback=services.loopback)
    app.add_middleware(Measure)


class HeadAsGet:
    """Answers HEAD as GET; the server leaves the body out. FastAPI's routes know HEAD only where it is spelt out.

    ``head`` in the scope tells an answer without an end that nobody waits for its body.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") == "HEAD":
            scope = {**scope, "method": "GET", "head": True}
        await self._app(scope, receive, send)
