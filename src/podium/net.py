"""Origins (scheme, host, port) of the addresses that a server connects to, and where their names lead.

What an operator listed is compared as an origin, never as a prefix of text, and a name is resolved once: who connects
is given the address that was looked at.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def normal_origin(origin: str) -> str:
    """An origin of http or https in one spelling: lower case, with its port."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{parts.port or _PORTS[parts.scheme]}"


def origin_of(url: str) -> str:
    """The origin of ``url``, as :func:`normal_origin` writes it; a URL of another scheme is its own."""
    parts = urlsplit(url)
    return normal_origin(f"{parts.scheme}://{parts.netloc}") if parts.scheme in _PORTS else url


def is_ip(host: str) -> bool:
    """Whether ``host`` is an IP address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def look_up(host: str, port: int) -> list[str]:
    """The IP addresses of ``host``, each once, in the order in which they should be tried.

    Raises:
        OSError: it has none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host} is no name") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an IP address is anybody's to reach, and not one of a private network or of this machine."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return parsed.is_global and not parsed.is_multicast
