from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from podium.web.authentication import Credentials, Role, note_caller

NOT_STORED = "private, no-store"


class IdentifyCaller:
    """ASGI middleware: note who sends a request, and forbid every cache to keep a response to the administrator."""

    def __init__(self, app: ASGIApp, *, credentials: Credentials) -> None:
        self._app = app
        self._credentials = credentials

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            caller = self._credentials.identify(scope)
            note_caller(scope, caller)
            if caller.role is not Role.STRANGER:
                send = _not_stored(send)
        await self._app(scope, receive, send)


def _not_stored(send: Send) -> Send:
    async def not_stored(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["Cache-Control"] = NOT_STORED
        await send(message)

    return not_stored
