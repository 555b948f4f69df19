"""The origins that a server may connect to.

Guards against server-side request forgery
(https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html): origins
(scheme, host, port) are compared, never prefixes of text, and a name is resolved once: the caller connects to the
checked address.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

PUBLIC_GITHUB = "https://github.com"

_PORTS = {"http": 80, "https": 443}
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)

# RFC 6052, 8215, 4291, 2765: the last 32 bits are an IPv4 address.
_ENDING_IN_IPV4 = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
# Translators inside of a network (RFC 8215), Teredo (RFC 4380), site-local addresses (RFC 3879).
_PRIVATE = tuple(map(ipaddress.IPv6Network, ("64:ff9b:1::/48", "2001::/32", "fec0::/10")))
# RFC 5214: the interface identifier of an ISATAP address, before its IPv4 address.
_ISATAP = (0x00005EFE, 0x02005EFE)


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
        addresses = look_up(host, port_of(parts) or _PORTS[parts.scheme])
        if origin not in self._private and not is_ip(host) and not all(map(is_public, addresses)):
            raise PrivateAddress(host)
        return addresses


def normal_origin(origin: str) -> str:
    """Return the origin in lower case, with a port.

    Raises:
        ValueError: the port is not valid.
    """
    parts = urlsplit(origin)
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port_of(parts) or _PORTS[parts.scheme]}"


def port_of(parts: SplitResult) -> int | None:
    """The port that a URL names, exactly as it is written.

    ``urlsplit`` takes ``:``, ``:0`` and ``:00443`` for ports, which other programs read in other ways.

    Raises:
        ValueError: the port is not a number from 1 to 65535 without leading zeros.
    """
    place = parts.netloc.rpartition("@")[2]
    host, colon, port = place.rpartition(":") if not place.endswith("]") else (place, "", "")
    if not colon:
        return None
    if not host or not _PORT.fullmatch(port) or int(port) > 65535:
        raise ValueError("the port must be a number from 1 to 65535")
    return int(port)


def origin_of(url: str) -> str:
    """Return the origin of a URL, spelled as by :func:`normal_origin`; a URL of another scheme stays as it is.

    Raises:
        ValueError: the port is not valid.
    """
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
    """Return the IP addresses of a host, in the order in which to try them.

    Raises:
        OSError: there is none.
    """
    # A path is ranked without it.
    import socket

    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host} is not a valid host name") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether it is outside of private networks, link-local ranges and this machine.

    An IPv6 address that stands for an IPv4 address is as public as that one.
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    # RFC 3056. To some versions of Python none of these is global.
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.sixtofour:
        return is_public(str(parsed.sixtofour))
    if not parsed.is_global or parsed.is_multicast:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return True
    meant = _ipv4_in(parsed)
    return is_public(str(meant)) if meant else not any(parsed in network for network in _PRIVATE)


def _ipv4_in(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    number = int(address)
    if any(address in network for network in _ENDING_IN_IPV4) or number >> 32 & 0xFFFFFFFF in _ISATAP:
        return ipaddress.IPv4Address(number & 0xFFFFFFFF)
    return None
