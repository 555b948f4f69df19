"""The origin of this server, as a request names it."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import Scope

from podium.settings import Settings
from podium.web.middleware.security_middleware import split_host

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def known_origin(scope: Scope, headers: Mapping[bytes, bytes], settings: Settings) -> str | None:
    """The origin, if it is one of a few; None if it is another that also reaches this server.

    A client can choose any port and, on loopback, many addresses. What depends on the origin may be kept only for the
    names in ``PODIUM_ALLOWED_HOSTS``, loopback's usual names and the address that the client is connected to, each
    with the server's port or none, or as the setting writes it.
    """
    host = split_host(headers.get(b"host", b"").decode("latin-1"))
    if host is None:
        return None
    name, port = host
    address, own_port = scope.get("server") or (None, None)
    netloc = name if port is None else f"{name}:{port}"
    allowed = {allowed.lower() for allowed in settings.allowed_hosts}
    is_own_name = name in allowed or name in _LOOPBACK or name.strip("[]") == address
    if netloc in allowed or (is_own_name and port in (None, str(own_port))):
        return f"{scope['scheme']}://{netloc}"
    return None
