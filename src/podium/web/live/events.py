"""Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from sse_starlette import EventSourceResponse, JSONServerSentEvent, ServerSentEvent
from sse_starlette.sse import AppStatus
from starlette.types import Receive, Scope, Send

from podium.web.live.pubsub import Channel

# Seconds between events that keep proxies from closing the connection, and by which pages know that it still works.
KEEP_ALIVE = 15.0
_SEPARATOR = "\n"
_ALIVE = ServerSentEvent(event="alive", data="", sep=_SEPARATOR)
# Milliseconds until a browser reconnects.
_RETRY = ServerSentEvent(retry=3000, sep=_SEPARATOR)

# PubSub.close ends all streams. The library would cancel them, which uvicorn logs as an error.
AppStatus.enable_automatic_graceful_drain = False


def event_of(data: Any) -> bytes:
    """One event with ``data`` as JSON, encoded once for all subscribers."""
    return JSONServerSentEvent(data, sep=_SEPARATOR).encode()


class EventStream(EventSourceResponse):
    """The events of a channel, from its latest to its last one."""

    def __init__(self, channel: Channel, unsubscribe: Callable[[], None]) -> None:
        super().__init__(_events(channel), ping=KEEP_ALIVE, ping_message_factory=lambda: _ALIVE, sep=_SEPARATOR)
        self._unsubscribe = unsubscribe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            # HeadAsGet has changed the method.
            method = "HEAD" if scope.get("head") else "GET"
            await super().__call__({**scope, "method": method}, receive, send)
        finally:
            self._unsubscribe()


async def _events(channel: Channel) -> AsyncIterator[bytes]:
    yield _RETRY.encode()
    sent: bytes | None = None
    while True:
        # This comes before the latest event is read, so that none is missed.
        changed = channel.changed
        if channel.latest and channel.latest != sent:
            sent = channel.latest
            yield sent
        if channel.is_last:
            return
        await changed.wait()
