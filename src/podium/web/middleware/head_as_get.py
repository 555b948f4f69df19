from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class HeadAsGet:
    """ASGI middleware: FastAPI adds no HEAD routes, and uvicorn omits the body.

    ``head`` in the scope makes an event stream end at once.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") == "HEAD":
            scope = {**scope, "method": "GET", "head": True}
        await self._app(scope, receive, send)
