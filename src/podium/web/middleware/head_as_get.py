"""Answer HEAD requests as GET."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


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
