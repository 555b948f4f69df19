"""Bounds on the connections of the HTTP server: how many there may be, and how long one may wait for its client.

uvicorn bounds neither: a client that never ends its headers or its body, or never reads its response, would keep a
connection open for good. At the limit, the connection that has waited longest for its client is closed for a new one.
So a client that opens thousands of them and sends nothing keeps no other client out.
"""

from __future__ import annotations

import asyncio
import enum
import resource
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from podium.web.api.error_responses import MEDIA_TYPE, problem

# Seconds for which a new connection is never closed for another one: a request needs a round trip to arrive.
_SPARED = 1.0


# The share of the open files that connections may take; the database, git and the log need some, too.
_SHARE_OF_FILES = 0.75


def connection_limit(wanted: int) -> int:
    """``wanted``, or fewer if the process may not open as many files."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if files == resource.RLIM_INFINITY else max(1, min(wanted, int(files * _SHARE_OF_FILES)))


class WaitsFor(enum.Enum):
    """What a connection waits for; in this order they are closed for new ones."""

    REQUEST = "the rest of a request's headers, or the next request"
    BODY = "the rest of a request's body"
    READER = "the client to read the response"


class Connections:
    """The open connections, and those of them that wait for their clients.

    A connection whose response is being made waits for the server, and so has no time limit here.

    Args:
        most: connections that may be open at a time.
        request_seconds: for the headers of a request, and again for its body.
        response_seconds: for a client that reads nothing.
    """

    def __init__(
        self,
        most: int,
        *,
        request_seconds: float,
        response_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._seconds = {
            WaitsFor.REQUEST: request_seconds,
            WaitsFor.BODY: request_seconds,
            WaitsFor.READER: response_seconds,
        }
        self._clock = clock
        self._open: set[HttpConnection] = set()
        # Since when; the longest waiting first.
        self._waiting: dict[WaitsFor, OrderedDict[HttpConnection, float]] = {kind: OrderedDict() for kind in WaitsFor}

    @property
    def free(self) -> int:
        return self._most - len(self._open)

    def note(self, connection: HttpConnection, kind: WaitsFor | None) -> None:
        """Record what ``connection`` waits for from now on; None: for nothing."""
        self._open.add(connection)
        if connection.waits_for is kind:
            return
        self._forget_wait(connection)
        connection.waits_for = kind
        if kind is not None:
            self._waiting[kind][connection] = self._clock()

    def remove(self, connection: HttpConnection) -> None:
        self._open.discard(connection)
        self._forget_wait(connection)

    def evict(self) -> bool:
        """Close the connection that has waited longest; False if none has waited for a while."""
        latest = self._clock() - _SPARED
        for waiting in self._waiting.values():
            for connection, since in waiting.items():
                if since > latest:
                    break
                self.remove(connection)
                connection.transport.abort()
                return True
        return False

    def close_late(self) -> None:
        """Close those that have waited for too long; call it every second."""
        for kind, waiting in self._waiting.items():
            latest = self._clock() - self._seconds[kind]
            for connection in [connection for connection, since in waiting.items() if since <= latest]:
                self._forget_wait(connection)
                connection.time_out(kind)

    def _forget_wait(self, connection: HttpConnection) -> None:
        if connection.waits_for is not None:
            self._waiting[connection.waits_for].pop(connection, None)
            connection.waits_for = None


class HttpConnection(H11Protocol):
    """uvicorn's connection, which says what it waits for."""

    def __init__(
        self, connections: Connections, config: Config, server_state: ServerState, app_state: dict[str, Any]
    ) -> None:
        super().__init__(config, server_state, app_state)
        self.waits_for: WaitsFor | None = None
        self._connections = connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._update()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._update()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._update()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._update()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._update()

    def time_out(self, kind: WaitsFor) -> None:
        """Close the connection, with an answer if a part of a request has come."""
        if kind is WaitsFor.READER:
            if self.transport.get_write_buffer_size():
                self.transport.abort()
            else:
                self._update()
        elif self._is_partly_sent() and not (self.cycle and self.cycle.response_started):
            self.transport.write(_TIMED_OUT)
            self.transport.close()
        else:
            self.transport.abort()

    def _update(self) -> None:
        self._connections.note(self, self._waits_for())

    def _waits_for(self) -> WaitsFor | None:
        if self.flow.write_paused or self.transport.is_closing():
            return WaitsFor.READER
        if self.conn.their_state is h11.SEND_BODY:
            return WaitsFor.BODY
        if self.cycle and not self.cycle.response_complete:
            return None
        return WaitsFor.READER if self.transport.get_write_buffer_size() else WaitsFor.REQUEST

    def _is_partly_sent(self) -> bool:
        return self.conn.their_state is h11.SEND_BODY or bool(self.conn.trailing_data[0])


def _timed_out() -> bytes:
    body = bytes(problem(408, "The request did not arrive in time: send it again.", "request-timeout").body)
    head = f"HTTP/1.1 408 Request Timeout\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body


_TIMED_OUT = _timed_out()
