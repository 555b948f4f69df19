"""Where a request ends, how long its headers are, and in which pieces a response is sent."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from podium.web.api.error_responses import problem
from podium.web.middleware.security_headers import add_security_headers

# Bytes of a request's address and headers. h11 has the same bound, but not for those that arrive at once.
MAX_HEADERS = 16 * 1024
# Bytes. uvicorn copies what the client does not read at once, so a piece bounds the memory of a slow client.
_PIECE = 64 * 1024


class MessageFraming:
    """ASGI middleware around every other one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _refusal(scope) if scope["type"] == "http" else None
        if refusal is not None:
            add_security_headers(refusal.headers)
            await refusal(scope, receive, send)
            return
        try:
            await self._app(scope, receive, _in_pieces(send))
        except ClientDisconnect:
            # uvicorn would log a traceback for every client that ends in the middle of a body.
            return


def _refusal(scope: Scope) -> Response | None:
    """The answer to a request that no other code may read."""
    closes = {"Connection": "close"}
    if _is_ambiguous(scope):
        detail = "The request's length is ambiguous: send either Content-Length or Transfer-Encoding."
        return problem(400, detail, "ambiguous-length", closes)
    size = len(scope["path"]) + len(scope["query_string"])
    size += sum(len(name) + len(value) for name, value in scope["headers"])
    if size > MAX_HEADERS:
        return problem(400, f"The request's headers are larger than {MAX_HEADERS} bytes.", "bad-request", closes)
    return None


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
