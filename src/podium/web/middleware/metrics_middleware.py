from __future__ import annotations

import time
from http import HTTPMethod

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from podium.telemetry import metrics


class MetricsMiddleware:
    """The outermost middleware. The label ``route`` is a route's pattern, never the requested path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        status = 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if scope["method"] in HTTPMethod.__members__ else "other"
            metrics.add(metrics.HTTP_REQUESTS, method=method, route=route, status=str(status))
            metrics.add(metrics.HTTP_SECONDS, time.monotonic() - started, route=route)
