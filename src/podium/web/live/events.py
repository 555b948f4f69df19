"""Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from podium.web.live.pubsub import Watch

# Seconds of silence after which a comment is sent, so that proxies between keep the connection.
KEEP_ALIVE = 15.0
# Milliseconds after which a browser that lost the connection asks again.
_RETRY = b"retry: 3000\n\n"


def event_of(data: Any) -> bytes:
    """One event that carries ``data`` as JSON."""
    return f"data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


class EventStream(Response):
    """The events of one watch, from its latest on, until the last, or until the client leaves."""

    def __init__(self, watch: Watch, leave: Callable[[], None]) -> None:
        super().__init__(
            media_type="text/event-stream",
            # Proxies such as nginx would otherwise keep events back.
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        del self.headers["content-length"]
        self._watch = watch
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": _RETRY, "more_body": True})
            if not scope.get("head"):
                await self._stream(send, gone)
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            self._leave()

    async def _stream(self, send: Send, gone: asyncio.Future[None]) -> None:
        told: bytes | None = None
        while not gone.done():
            # Taken before looking at the latest: what is told in between is not missed.
            following = self._watch.next
            if self._watch.latest and self._watch.latest != told:
                told = self._watch.latest
                await send({"type": "http.response.body", "body": told, "more_body": True})
            if self._watch.is_last:
                return
            done, _ = await asyncio.wait({following, gone}, timeout=KEEP_ALIVE, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                await send({"type": "http.response.body", "body": b": still here\n\n", "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
