"""Where a request ends, and in which pieces a response is sent."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from podium.web.api.error_responses import problem
from podium.web.middleware.security_headers import add_security_headers

# Bytes. uvicorn copies what the client does not read at once, so a piece bounds the memory of a slow client.
_PIECE = 64 * 1024


class MessageFraming:
    """ASGI middleware around every other one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_ambiguous(scope):
            refusal = problem(
                400,
                "The request's length is ambiguous: send either Content-Length or Transfer-Encoding.",
                "ambiguous-length",
                {"Connection": "close"},
            )
            add_security_headers(refusal.headers)
            await refusal(scope, receive, send)
            return
        try:
            await self._app(scope, receive, _in_pieces(send))
        except ClientDisconnect:
            # uvicorn would log a traceback for every client that ends in the middle of a body.
            return


def _is_ambiguous(scope: Scope) -> bool:
    """Whether a proxy could see another end of the request (RFC 9112, 6.1: request smuggling)."""
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers and ("content-length" in headers or scope["http_version"] == "1.0")


def _in_pieces(send: Send) -> Send:
    async def in_pieces(message: Message) -> None:
        body = message.get("body", b"")
        if len(body) <= _PIECE:
            await send(message)
            return
        view = memoryview(body)
        last = (len(body) - 1) // _PIECE * _PIECE
        for start in range(0, last, _PIECE):
            await send({"type": message["type"], "body": bytes(view[start : start + _PIECE]), "more_body": True})
        await send({**message, "body": bytes(view[last:])})

    return in_pieces
