"""HTTP connections of Podium's own to a git host, to an address that was checked before."""

from __future__ import annotations

import functools
import io
import select
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from http.client import HTTPConnection

# Seconds between two checks of a connection that waits.
_TICK = 0.1
_BUFFER = 64 << 10


def pinned_connection(
    url: str, pinned: str | None, patience: float, *, check: Callable[[], float] | None = None
) -> HTTPConnection | None:
    """Return a connection to the host of ``url``, which is not open yet; None: it is not one of http or https.

    Args:
        pinned: ``HOST:PORT:ADDRESS[,ADDRESS]``, the addresses to connect to; None: the host is an address.
        patience: seconds to connect, and for each read.
        check: called before each read and while it waits; returns the seconds that are left, and may raise. So a host
            that sends single bytes gains nothing.
    """
    # They take long to import.
    import http.client
    import socket

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    tls = parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    address = pinned.split(":", 2)[2].split(",")[0].strip("[]") if pinned else parts.hostname

    class Response(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *arguments: Any, **words: Any) -> None:
            super().__init__(sock, *arguments, **words)
            if check is not None:
                self.fp = io.BufferedReader(_Checked(self.fp.detach(), sock, check), _BUFFER)

    class Connection(http.client.HTTPConnection):
        default_port = 443 if tls else 80
        response_class = Response

        def connect(self) -> None:
            self.sock = socket.create_connection((address, port), patience)
            if tls:
                self.sock = _tls().wrap_socket(self.sock, server_hostname=parts.hostname)

    return Connection(parts.hostname, port, timeout=patience)


@functools.cache
def _tls() -> Any:
    # The import takes long, and so does reading all authorities.
    import ssl

    return ssl.create_default_context()


class _Checked(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, sock: Any, check: Callable[[], float]) -> None:
        self._raw = raw
        self._sock = sock
        self._check = check
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        # What TLS has decrypted already does not wait in the socket.
        try:
            is_ready = self._sock.pending()
        except AttributeError:
            is_ready = 0
        while not is_ready:
            self._check()
            is_ready = self._poll.poll(_TICK * 1000)
        self._sock.settimeout(self._check())
        found: int | None = self._raw.readinto(buffer)
        return found

    def close(self) -> None:
        self._raw.close()
        super().close()
