"""Connections: how many, how long each may wait for its client, and where a request ends."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from podium.app.startup import prepare_process
from podium.settings import Settings
from podium.web.middleware.message_framing import MessageFraming
from podium.web.serving import acceptor, connections
from podium.web.serving.acceptor import Acceptor
from podium.web.serving.connections import Connections, HttpConnection, WaitsFor, connection_limit
from podium.web.serving.server import beside

HOST = b"Host: localhost\r\n"
# More than the buffers of both kernels hold.
BIG = 32 << 20


async def small(_: Request) -> Response:
    return PlainTextResponse("small")


async def big(_: Request) -> Response:
    return Response(b"x" * BIG)


async def echo(request: Request) -> Response:
    return Response(await request.body())


@contextlib.contextmanager
def served(**settings: Any) -> Iterator[Callable[[bytes], socket.socket]]:
    """A server; the function opens a connection and sends bytes."""
    app = Starlette(routes=[Route("/small", small), Route("/big", big), Route("/echo", echo, methods=["POST"])])
    with beside(app, "127.0.0.1", 0, Settings(**settings)) as url, contextlib.ExitStack() as opened:

        def send(written: bytes) -> socket.socket:
            client = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=20)
            opened.enter_context(client)
            client.sendall(written)
            return client

        yield send


def read(client: socket.socket) -> bytes:
    """Everything until the server closes the connection."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(1 << 20):
            parts.append(part)
    return b"".join(parts)


# --- time limits ---


def test_no_client_keeps_a_connection_open_by_being_slow(caplog: pytest.LogCaptureFixture) -> None:
    with served(request_timeout=2.0, response_timeout=1.0) as send:
        silent = send(b"")
        headers = send(b"GET /small HTTP/1.1\r\n")
        body = send(b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nx")
        unread = send(b"GET /small HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nx")
        reader = send(b"GET /big HTTP/1.1\r\n" + HOST + b"\r\n")
        assert read(silent) == b""
        assert b" 408 " in read(headers)
        assert b" 408 " in read(body)
        answer = read(unread)
        assert b"200 OK" in answer
        assert b" 408 " not in answer
        # The end of the connection came before that of the response.
        assert 0 < len(read(reader)) < BIG
    # No traceback for a client that goes away.
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


class FakeTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.buffered = 0
        self.closed = self.aborted = False
        self.written = b""

    def write(self, data: Any) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def is_closing(self) -> bool:
        return self.closed or self.aborted

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Scene:
    """Connections under a clock of their own."""

    def __init__(self, most: int = 4) -> None:
        import uvicorn
        from uvicorn.server import ServerState

        self.now = 100.0
        self.connections = Connections(most, request_seconds=15, response_seconds=60, clock=lambda: self.now)
        self._config = uvicorn.Config(big_response, http="h11", ws="none", lifespan="off", log_config=None)
        self._state = ServerState()
        self._made: list[HttpConnection] = []

    def connect(self, written: bytes = b"") -> tuple[HttpConnection, FakeTransport]:
        connection, transport = HttpConnection(self.connections, self._config, self._state, {}), FakeTransport()
        connection.connection_made(transport)
        self._made.append(connection)
        if written:
            connection.data_received(written)
        return connection, transport

    async def end(self) -> None:
        for connection in self._made:
            connection.connection_lost(None)
        await asyncio.gather(*self._state.tasks)

    def after(self, seconds: float) -> None:
        self.now += seconds
        self.connections.close_late()


async def big_response(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"small"})


def run(play: Callable[[Scene], Awaitable[None]]) -> None:
    async def scene() -> None:
        scene = Scene()
        try:
            await play(scene)
        finally:
            await scene.end()

    asyncio.run(scene())


REQUEST = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"


def test_time_limits_begin_with_each_wait_and_not_with_each_byte() -> None:
    async def play(scene: Scene) -> None:
        trickling, transport = scene.connect(b"GET / HTTP/1.1\r\n")
        for _ in range(4):
            scene.after(3)
            trickling.data_received(b"X: y\r\n")
        assert not transport.is_closing()
        scene.after(3)
        assert transport.closed
        assert b" 408 " in transport.written

    run(play)


def test_a_response_that_is_being_made_has_no_time_limit_and_a_paused_one_has() -> None:
    async def play(scene: Scene) -> None:
        connection, transport = scene.connect(REQUEST)
        assert connection.waits_for is None
        scene.after(10_000)
        assert not transport.is_closing()
        connection.pause_writing()
        scene.after(59)
        connection.resume_writing()
        scene.after(59)
        transport.buffered = 70_000
        connection.pause_writing()
        assert not transport.is_closing()
        scene.after(61)
        assert transport.aborted

    run(play)


def test_a_kept_connection_waits_for_its_next_request_from_the_end_of_the_last_one() -> None:
    async def play(scene: Scene) -> None:
        connection, transport = scene.connect(REQUEST)
        scene.after(14)
        await asyncio.sleep(0)
        assert b"small" in transport.written
        assert connection.waits_for is WaitsFor.REQUEST
        scene.after(14)
        assert not transport.is_closing()
        scene.after(2)
        assert transport.aborted

    run(play)


# --- how many ---


def test_the_connection_that_waits_longest_for_a_request_makes_room() -> None:
    async def play(scene: Scene) -> None:
        reader, reading = scene.connect(REQUEST)
        reader.pause_writing()
        _, busy = scene.connect(REQUEST)
        scene.after(1)
        _, first = scene.connect()
        scene.after(1)
        _, second = scene.connect(b"GET /")
        assert scene.connections.free == 0
        scene.after(0.5)
        assert scene.connections.evict()
        assert (first.aborted, second.aborted, reading.aborted, busy.aborted) == (True, False, False, False)
        # The next one is too young: a client that sends its request at once always succeeds. So its reader goes.
        assert scene.connections.evict()
        assert (second.aborted, reading.aborted) == (False, True)
        assert not scene.connections.evict()
        scene.after(1)
        assert scene.connections.evict()
        assert (second.aborted, busy.aborted) == (True, False)
        assert scene.connections.free == 3

    run(play)


def test_thousands_of_half_requests_keep_no_other_client_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_SPARED", 0.05)
    with served(max_connections=20) as send:
        held = [send(b"GET /small HTTP/1.1\r\nX: ") for _ in range(60)]
        assert b"small" in read(send(b"GET /small HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"))
        assert len(held) == 60


class FullListener:
    """A listening socket of a process that may open no more files, and later none that waits."""

    def __init__(self, connected: socket.socket, failures: int) -> None:
        self._connected = connected
        self.failures = failures
        self.attempts = 0

    def fileno(self) -> int:
        return self._connected.fileno()

    def setblocking(self, _: bool) -> None: ...

    def accept(self) -> Any:
        self.attempts += 1
        if self.attempts > self.failures:
            raise BlockingIOError
        raise OSError(errno.EMFILE, "Too many open files")


def test_a_process_without_files_neither_spins_nor_floods_the_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceptor, "_RETRY", 0.001)
    near, far = socket.socketpair()
    far.send(b"always readable")
    listener = FullListener(near, failures=5)

    async def play(scene: Scene) -> None:
        accepting = Acceptor([cast(socket.socket, listener)], asyncio.Protocol, scene.connections)
        accepting.start()
        # Between two attempts the event loop does other things.
        while listener.attempts <= listener.failures:
            before = listener.attempts
            await asyncio.sleep(0)
            assert listener.attempts - before <= 1
        accepting.stop()

    with near, far:
        run(play)
    lines = [record.getMessage() for record in caplog.records if record.name == acceptor.__name__]
    assert lines == ["new connections wait: [Errno 24] Too many open files"]


def test_open_files_are_raised_and_leave_some_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[tuple[int, int]] = []
    monkeypatch.setattr("resource.getrlimit", lambda _: (chosen[-1][0] if chosen else 1_024, 4_096))
    monkeypatch.setattr("resource.setrlimit", lambda _, limits: chosen.append(limits))
    monkeypatch.setattr("podium.telemetry.logs.configure", lambda **_: None)
    assert connection_limit(10_000) == 768
    prepare_process(Settings())
    assert chosen == [(4_096, 4_096)]
    assert connection_limit(10_000) == 3_072
    assert connection_limit(50) == 50


# --- where a request ends ---

CHUNKED = b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"0\r\n\r\nGET /small HTTP/1.1\r\n" + HOST + b"\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 6\r\n" + CHUNKED,
        CHUNKED + b"Content-Length: 6\r\n",
        b"content-length: 0\r\ntransfer-encoding: Chunked\r\n",
        b"Content-Length: 6\r\nContent-Length: 7\r\n",
        b"Content-Length: 6, 7\r\n",
        b"Content-Length: +6\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 0x6\r\n",
        b"Content-Length: 6 6\r\n",
        b"Content-Length : 6\r\n",
        b"Transfer-Encoding: chunked, chunked\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: \x0bchunked\r\n",
        CHUNKED + CHUNKED,
    ],
)
def test_a_request_of_ambiguous_length_ends_its_connection(head: bytes, server: Any) -> None:
    answer = read(server(b"POST /echo HTTP/1.1\r\n" + HOST + head + b"\r\n" + SMUGGLED))
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 "))
    assert b"connection: close" in answer.lower()
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("place", ["path", "query", "one header", "headers"])
def test_headers_that_arrive_at_once_are_bounded_too(place: str, server: Any) -> None:
    path, query, headers = b"/echo", b"", b""
    match place:
        case "path":
            path += b"/" + b"a" * 17_000
        case "query":
            query = b"?a=" + b"a" * 17_000
        case "one header":
            headers = b"X: " + b"a" * 17_000 + b"\r\n"
        case _:
            headers = b"A: a\r\n" * 9_000
    answer = read(server(b"GET " + path + query + b" HTTP/1.1\r\n" + HOST + headers + b"\r\n"))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in answer.lower()


def test_an_http_1_0_request_has_no_chunks(server: Any) -> None:
    answer = read(
        server(b"POST /echo HTTP/1.0\r\n" + HOST + b"Connection: keep-alive\r\n" + CHUNKED + b"\r\n" + SMUGGLED)
    )
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("size", [b"x\r\n", b"-1\r\n", b"0x1\r\n", b" 1\r\n", b"1 ;\n", b"1\rx\r\n"])
def test_a_chunk_without_a_valid_size_ends_its_connection(server: Any, size: bytes) -> None:
    answer = read(server(b"POST /echo HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n" + size + b"a\r\n" + SMUGGLED))
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert b"small" not in answer


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with served(request_timeout=1.0) as send:
        yield send


def test_a_large_body_is_sent_in_pieces_that_wait_for_the_client() -> None:
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(range(256)) * 600})

    async def record(message: Any) -> None:
        sent.append(dict(message))

    scope = {"type": "http", "http_version": "1.1", "path": "/", "query_string": b"", "headers": []}
    asyncio.run(MessageFraming(app)(scope, cast(Any, None), record))
    bodies = [message["body"] for message in sent[1:]]
    assert b"".join(bodies) == bytes(range(256)) * 600
    assert max(map(len, bodies)) == 65_536
    assert [message.get("more_body", False) for message in sent[1:]] == [True, True, False]
