from __future__ import annotations

import contextlib
import errno
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from podium.errors import CannotListen
from podium.settings import Settings
from podium.web.application import create_app
from podium.web.middleware.message_framing import MessageFraming
from podium.web.services import Services
from podium.web.serving.acceptor import ACCEPT_AT_ONCE, Acceptor
from podium.web.serving.connections import Connections, HttpConnection, connection_limit

# Seconds; Python's default is 5 ms.
_SWITCH_INTERVAL = 0.0005
# Objects that Python makes before it looks for garbage; its default is 700. A board is made of hundreds of thousands,
# none of them garbage: looking took a third of the CPU time of the first page of 30,000 people.
_MANY_OBJECTS = 50_000
# Seconds for open requests after the server stops.
GRACE = 5

_OPTIONS: dict[str, Any] = {
    "log_config": None,
    # Not httptools, if it is installed: see podium.web.serving.connections.
    "http": "h11",
    "ws": "none",
    "lifespan": "off",
    "server_header": False,
    "timeout_graceful_shutdown": GRACE,
}


def run(
    services: Services,
    host: str,
    sockets: list[socket.socket],
    *,
    on_listening: Callable[[str], None] | None = None,
    accept_at_once: int = ACCEPT_AT_ONCE,
) -> None:
    """Serve until SIGINT or SIGTERM. The caller configures logging.

    Args:
        host, sockets: see :func:`listening`.
        on_listening: called with the URL once the server responds.
        accept_at_once: connections that are accepted in one go; 1 shares them among processes with the same sockets.
    """
    # The event loop waits this long for a thread that makes an answer, each time it has something to do.
    sys.setswitchinterval(_SWITCH_INTERVAL)
    gc.set_threshold(_MANY_OBJECTS)
    proxies = list(services.settings.trusted_proxies)
    app = create_app(services)
    config = uvicorn.Config(
        MessageFraming(app),
        log_level=services.settings.log_level.lower(),
        # uvicorn by default trusts forwarding headers from this machine.
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        **_OPTIONS,
    )
    access_log = logging.getLogger("uvicorn.access")
    access_log.addFilter(_without_query)
    try:
        url, close_streams = url_of(host, sockets[0]), app.state.context.pubsub.close
        connections = connections_of(services.settings)
        _Server(config, connections, url, on_listening, close_streams, accept_at_once=accept_at_once).run(sockets)
    finally:
        access_log.removeFilter(_without_query)


@contextlib.contextmanager
def beside(app: ASGIApp, host: str, port: int, settings: Settings) -> Iterator[str]:
    """Serve ``app`` in a thread for the duration of a ``with`` block, and yield its URL."""
    with listening(host, port) as sockets:
        config = uvicorn.Config(MessageFraming(app), log_level="warning", access_log=False, **_OPTIONS)
        server = _Server(config, connections_of(settings), url_of(host, sockets[0]), None)
        thread = threading.Thread(target=server.run, args=(sockets,), name="http", daemon=True)
        thread.start()
        try:
            yield url_of(host, sockets[0])
        finally:
            server.should_exit = True
            thread.join(GRACE)


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Hold sockets that are bound to every address of ``host``. Clients that connect early wait for the server.

    Args:
        host: a name or an address of this machine; ``0.0.0.0`` or ``::`` for all.
        port: 0 for any free port.

    Raises:
        CannotListen: the host or port cannot be used.
    """
    sockets = listen(host, port)
    try:
        yield sockets
    finally:
        for listener in sockets:
            listener.close()


def listen(host: str, port: int) -> list[socket.socket]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise CannotListen(
            f"The host {host} cannot be resolved: give an address of this machine, such as 127.0.0.1."
        ) from None
    with contextlib.ExitStack() as opened:
        sockets: list[socket.socket] = []
        for family, address in dict.fromkeys((family, str(entry[0])) for family, *_, entry in found):
            listener = _bound(family, address, port)
            if listener is None:
                continue
            opened.callback(listener.close)
            # Connections inherit it. asyncio does not set it here: these sockets have no protocol number. Without it
            # the last packet of a response waits 40 ms for an acknowledgement.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sockets.append(listener)
            # Port 0 picks one; use it for every address.
            port = listener.getsockname()[1]
        if not sockets:
            raise CannotListen(f"{host} is not an address of this machine: give one that is, or 0.0.0.0 for all.")
        opened.pop_all()
    return sockets


def _bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket | None:
    try:
        return socket.create_server((address, port), family=family)
    except OSError as error:
        match error.errno:
            case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
                return None
            case errno.EADDRINUSE:
                reason = "is used by another program: stop it, or choose another with --port or PORT"
            case errno.EACCES:
                reason = "needs privileges: choose one of 1024 or more with --port or PORT"
            case _:
                reason = f"cannot be used ({os.strerror(error.errno or 0)}): choose another"
        raise CannotListen(f"Port {port} of {address} {reason}.") from None


def url_of(host: str, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"http://{f'[{name}]' if ':' in name and not name.startswith('[') else name}:{port}"


def connections_of(settings: Settings) -> Connections:
    return Connections(
        connection_limit(settings.max_connections),
        request_seconds=settings.request_timeout,
        response_seconds=settings.response_timeout,
    )


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        connections: Connections,
        url: str,
        on_listening: Callable[[str], None] | None,
        close_streams: Callable[[], None] = lambda: None,
        *,
        accept_at_once: int = ACCEPT_AT_ONCE,
    ) -> None:
        super().__init__(config)
        self._connections = connections
        self._acceptor: Acceptor | None = None
        self._url = url
        self._on_listening = on_listening
        self._close_streams = close_streams
        self._accept_at_once = accept_at_once

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._acceptor:
            self._acceptor.stop()
        # Open event streams would use up the grace period.
        self._close_streams()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # Without sockets: uvicorn would accept connections without bounds.
        await super().startup([])
        self._acceptor = Acceptor(sockets or [], self._connection, self._connections, self._accept_at_once)
        self._acceptor.start()
        if self.started and self._on_listening:
            self._on_listening(self._url)

    async def on_tick(self, counter: int) -> bool:
        # Ten ticks per second.
        if counter % 10 == 0:
            self._connections.close_late()
        return await super().on_tick(counter)

    def _connection(self) -> HttpConnection:
        return HttpConnection(self._connections, self.config, self.server_state, self.lifespan.state)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn raises the signal again, which would end the process before its workers stop.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _without_query(record: logging.LogRecord) -> bool:
    # A submitted URL may contain a password.
    if isinstance(record.args, tuple) and len(record.args) == 5:
        client, method, path, version, status = record.args
        path = str(path).partition("?")[0]
        record.args = (client, method, path, version, status)
        record.fields = {"client": client, "method": method, "path": path, "status": status}
    return True
