"""The origins that a server may connect to.

Guards against server-side request forgery
(https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html): origins
(scheme, host, port) are compared, never prefixes of text, and a name is resolved once: the caller connects to the
checked address.
"""

from __future__ import annotations

import functools
import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

PUBLIC_GITHUB = "https://github.com"

_PORTS = {"http": 80, "https": 443}


class PrivateAddress(Exception):
    """A host's name resolves to an address in a private network or of this machine."""


class AllowedOrigins:
    """``private`` are the origins whose names may resolve to private addresses."""

    def __init__(self, origins: Iterable[str], private: Iterable[str]) -> None:
        self._origins = frozenset(map(normal_origin, origins))
        self._private = frozenset(map(normal_origin, private))

    def __contains__(self, origin: object) -> bool:
        return origin in self._origins

    def resolve(self, origin: str) -> list[str]:
        """The IP addresses of an origin's host, to connect to without resolving the name again.

        Raises:
            PrivateAddress: one of them is private, and the origin is not listed as private. An IP address that an
                operator listed is used as it is.
            OSError: the name does not resolve.
        """
        parts = urlsplit(origin)
        host = parts.hostname or ""
        addresses = look_up(host, parts.port or _PORTS[parts.scheme])
        if origin not in self._private and not is_ip(host) and not all(map(is_public, addresses)):
            raise PrivateAddress(host)
        return addresses


def normal_origin(origin: str) -> str:
    """In lower case, with a port."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{parts.port or _PORTS[parts.scheme]}"


def origin_of(url: str) -> str:
    """In the spelling of :func:`normal_origin`; a URL of another scheme is returned as it is."""
    parts = urlsplit(url)
    return normal_origin(f"{parts.scheme}://{parts.netloc}") if parts.scheme in _PORTS else url


def is_ip(host: str) -> bool:
    return parse_ip(host) is not None


def parse_ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """With or without brackets; None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


# Called for the Host header of every request.
@functools.lru_cache(1000)
def is_loopback(host: str) -> bool:
    """Whether ``host``, a name in lower case or an IP address, always means this machine."""
    ip = parse_ip(host)
    return ip.is_loopback if ip else host == "localhost"


def look_up(host: str, port: int) -> list[str]:
    """In the order in which to try them.

    Raises:
        OSError: there is none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host} is not a valid host name") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether it is outside of private networks, link-local ranges and this machine."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return parsed.is_global and not parsed.is_multicast
