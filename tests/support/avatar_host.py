"""A host of pictures on loopback, which answers as badly as it is told to, byte by byte."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from types import TracebackType

Play = Callable[[socket.socket], None]


def png(red: int = 200, green: int = 120, blue: int = 40, side: int = 48) -> bytes:
    """A whole PNG of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + bytes((red, green, blue)) * side
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(row * side))
        + chunk(b"IEND", b"")
    )


def whole(
    body: bytes, kind: str = "image/png", status: str = "200 OK", *headers: str, length: int | None = None
) -> Play:
    """An answer in one piece."""
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body) if length is None else length}",
    ]
    head = "\r\n".join([*lines, *headers, "Connection: close", "", ""]).encode()

    def play(connection: socket.socket) -> None:
        connection.sendall(head + body)

    return play


def raw(data: bytes) -> Play:
    """Exactly these bytes, and the end."""

    def play(connection: socket.socket) -> None:
        connection.sendall(data)

    return play


class AvatarHost:
    """See the module. ``plays`` says what happens at which path (without its query); all others are 404.

    Attributes:
        requests: the heads of all requests so far, as text.
        most_at_once: connections that were being answered at the same time.
    """

    def __init__(self, plays: dict[str, Play] | None = None) -> None:
        self.plays = plays or {}
        self.requests: list[str] = []
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self.closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port: int = self._listener.getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def drip(self, data: bytes, every: float = 0.05) -> Play:
        """Byte by byte, until the host is closed."""

        def play(connection: socket.socket) -> None:
            for byte in data:
                connection.sendall(bytes([byte]))
                if self.closing.wait(every):
                    return

        return play

    def hold(self, until: threading.Event, then: Play) -> Play:
        """Nothing, until somebody says so."""

        def play(connection: socket.socket) -> None:
            while not until.wait(0.02):
                if self.closing.is_set():
                    return
            then(connection)

        return play

    def flood(self) -> Play:
        """An image without an end."""

        def play(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n")
            while not self.closing.is_set():
                connection.sendall(b"x" * 65536)

        return play

    def __enter__(self) -> AvatarHost:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in (self._acceptor, *self._threads):
            thread.join(10)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        # Whoever asked may hang up in the middle: that is often the point.
        with connection, contextlib.suppress(OSError), self._counted():
            connection.settimeout(10)
            head = b""
            while b"\r\n\r\n" not in head:
                part = connection.recv(4096)
                if not part:
                    return
                head += part
            text = head.decode("latin-1")
            self.requests.append(text)
            path = text.split(" ")[1].partition("?")[0]
            self.plays.get(path, whole(b"no", "text/plain", "404 Not Found"))(connection)

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1
