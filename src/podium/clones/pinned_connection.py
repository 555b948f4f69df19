"""HTTP connections of Podium's own to a git host, to an address that was checked before."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from http.client import HTTPConnection


def pinned_connection(url: str, pinned: str | None, patience: float) -> HTTPConnection | None:
    """Return a connection to the host of ``url``, which is not open yet; None: it is not one of http or https.

    Args:
        pinned: ``HOST:PORT:ADDRESS[,ADDRESS]``, the addresses to connect to; None: the host is an address.
        patience: seconds to connect, and for each read.
    """
    # They take long to import.
    import http.client
    import socket
    import ssl

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    tls = parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    address = pinned.split(":", 2)[2].split(",")[0].strip("[]") if pinned else parts.hostname

    class Connection(http.client.HTTPConnection):
        default_port = 443 if tls else 80

        def connect(self) -> None:
            self.sock = socket.create_connection((address, port), patience)
            if tls:
                self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=parts.hostname)

    return Connection(parts.hostname, port, timeout=patience)
