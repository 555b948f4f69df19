"""Which requests come from one client. All limits per client use this, never the address itself."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
from collections.abc import MutableMapping
from typing import Any

_UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True, slots=True)
class ClientNetwork:
    """The network of one client, as far as limits are concerned.

    Attributes:
        key: an IPv4 address, or an IPv6 /64 network, which is the least that a customer gets (RFC 6177).
        wider_key: the /48 network around it, which one customer may have as well; None for IPv4. Its clients together
            get :data:`podium.repositories.fair_queue.NETWORK_SHARE` times the limit of one.
        is_loopback: whether it is this machine, or a proxy on it.
    """

    key: str
    wider_key: str | None = None
    is_loopback: bool = False


def client_of(scope: MutableMapping[str, Any]) -> ClientNetwork:
    """The client of a request's ASGI ``scope``, behind trusted proxies the one that they name."""
    client = scope.get("client")
    return network_of(client[0] if client else "")


@functools.lru_cache(10_000)
def network_of(address: str) -> ClientNetwork:
    """The client with this IP address. All text that is not an address is one client.

    An IPv6 address that stands for an IPv4 address (``::ffff:192.0.2.1``) is that IPv4 address.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ClientNetwork(_UNKNOWN)
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if isinstance(ip, ipaddress.IPv4Address) or ip.is_loopback:
        return ClientNetwork(str(ip), is_loopback=ip.is_loopback)
    return ClientNetwork(_around(ip, 64), _around(ip, 48))


def _around(ip: ipaddress.IPv6Address, prefix: int) -> str:
    return str(ipaddress.IPv6Network((ip, prefix), strict=False))
