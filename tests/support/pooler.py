"""A pooler in transaction mode, as pgbouncer: each transaction of a client runs in another session of the server.

Unlike pgbouncer it takes the session that was idle for longest, so no two transactions in a row share one. It can
hang: then it accepts connections and never answers.
"""

from __future__ import annotations

import contextlib
import queue
import select
import socket
import struct
import threading
from collections.abc import Iterator

import psycopg
from psycopg import pq

_SSL, _GSS, _CANCEL = 80877103, 80877104, 80877102
# Others would be lost with the session: pgbouncer refuses them.
_TAKEN = {"user", "database", "client_encoding", "application_name", "datestyle", "timezone"}
_SHOWN = ("server_version", "server_encoding", "client_encoding", "standard_conforming_strings", "integer_datetimes")
_IDLE = b"I"


class Pooler:
    """``url``: to connect to."""

    def __init__(self, url: str, sessions: int) -> None:
        self._idle: queue.Queue[pq.abc.PGconn] = queue.Queue()
        self._sessions = [_session(url) for _ in range(sessions)]
        for session in self._sessions:
            self._idle.put(session)
        self._answers = threading.Event()
        self._answers.set()
        self._ended = False
        self._clients: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        database = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        self.url = f"postgresql://anyone@127.0.0.1:{self._listener.getsockname()[1]}/{database}"

    def hang(self) -> None:
        self._answers.clear()

    def go_on(self) -> None:
        self._answers.set()

    def close(self) -> None:
        self._ended = True
        self._answers.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for client in self._clients:
            client.close()
        for session in self._sessions:
            session.finish()

    def _accept(self) -> None:
        serving: list[threading.Thread] = []
        while not self._ended:
            try:
                client, _ = self._listener.accept()
            except OSError:
                break
            self._clients.append(client)
            serving.append(threading.Thread(target=self._serve, args=(client,), daemon=True))
            serving[-1].start()
        for client in self._clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in serving:
            thread.join()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            if self._start(client):
                while True:
                    # The first message of a transaction.
                    message = _read(client)
                    self._answers.wait()
                    if message[:1] == b"X":
                        break
                    session = self._idle.get()
                    try:
                        _relay(client, session, message)
                    finally:
                        self._idle.put(session)
        client.close()

    def _start(self, client: socket.socket) -> bool:
        while True:
            (length,) = struct.unpack("!i", _exactly(client, 4))
            body = _exactly(client, length - 4)
            self._answers.wait()
            (code,) = struct.unpack("!i", body[:4])
            if code == _CANCEL:
                return False
            if code not in (_SSL, _GSS):
                break
            client.sendall(b"N")
        words = body[4:].rstrip(b"\0").split(b"\0")
        unknown = {name.decode() for name in words[::2]} - _TAKEN
        if unknown:
            client.sendall(
                _message(b"E", b"SFATAL\0C08P01\0Munsupported startup parameter: %s\0\0" % unknown.pop().encode())
            )
            return False
        client.sendall(_message(b"R", struct.pack("!i", 0)))
        for name in _SHOWN:
            value = self._sessions[0].parameter_status(name.encode()) or b""
            client.sendall(_message(b"S", name.encode() + b"\0" + value + b"\0"))
        client.sendall(_message(b"K", struct.pack("!ii", 1, 1)) + _message(b"Z", _IDLE))
        return True


def _session(url: str) -> pq.abc.PGconn:
    session = pq.PGconn.connect(url.encode())
    assert session.status == psycopg.pq.ConnStatus.OK, session.error_message
    return session


def _relay(client: socket.socket, session: pq.abc.PGconn, message: bytes) -> None:
    """Relay one transaction, which begins with ``message``."""
    server = socket.socket(fileno=session.socket)
    try:
        server.setblocking(True)
        server.sendall(message)
        while True:
            ready, _, _ = select.select([client, server], [], [])
            if client in ready:
                server.sendall(_read(client))
            if server in ready:
                answer = _read(server)
                client.sendall(answer)
                if answer == _message(b"Z", _IDLE):
                    return
    finally:
        # libpq owns it.
        server.detach()


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _read(peer: socket.socket) -> bytes:
    head = _exactly(peer, 5)
    return head + _exactly(peer, struct.unpack("!i", head[1:])[0] - 4)


def _exactly(peer: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        part = peer.recv(length - len(found))
        if not part:
            raise EOFError
        found += part
    return found


@contextlib.contextmanager
def pooled(url: str, sessions: int = 3) -> Iterator[Pooler]:
    """A pooler before the database at ``url``, for the length of a ``with`` block."""
    pooler = Pooler(url, sessions)
    try:
        yield pooler
    finally:
        pooler.close()
