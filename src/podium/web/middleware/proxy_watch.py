"""Notices a reverse proxy that ``PODIUM_TRUSTED_PROXIES`` does not name: its clients share the limits of one."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from podium.settings import Settings

if TYPE_CHECKING:
    # The doctor works without the server's packages.
    from starlette.types import ASGIApp, Receive, Scope, Send

# Requests that are looked at, and the share from one private address that usually means a proxy.
SAMPLE = 1_000
SHARE = 0.95
# Seconds between two warnings, and after which the doctor forgets one.
_AGAIN = 3_600
_FORGET = 86_400
_FILE = "suspected-proxy.json"

_PROBES = frozenset({"/health", "/ready", "/version", "/metrics"})
_FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"})

log = logging.getLogger(__name__)


class ProxyWatch:
    """ASGI middleware that changes nothing. It warns in the log, and for ``podium doctor`` in the data folder.

    Args:
        loopback: whether only this machine can reach the server. Its requests are then those of a proxy only if they
            carry a forwarding header.
    """

    def __init__(
        self, app: ASGIApp, *, settings: Settings, loopback: bool, clock: Callable[[], float] = time.time
    ) -> None:
        self._app = app
        self._folder = settings.data_folder()
        self._loopback = loopback
        self._clock = clock
        self._seen = 0
        self._private: Counter[str] = Counter()
        self._warned_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _PROBES:
            self._note(scope)
        await self._app(scope, receive, send)

    def _note(self, scope: Scope) -> None:
        self._seen += 1
        address = scope["client"][0] if scope.get("client") else ""
        if _is_private(address) and not (self._loopback and _FORWARDED.isdisjoint(dict(scope["headers"]))):
            self._private[address] += 1
        if self._seen < SAMPLE:
            return
        for address, count in self._private.most_common(1):
            if count >= SHARE * SAMPLE:
                self._warn(address)
        self._seen = 0
        self._private.clear()

    def _warn(self, address: str) -> None:
        now = self._clock()
        if now - self._warned_at < _AGAIN:
            return
        self._warned_at = now
        log.warning("%s %s", found(address), ADVICE)
        with contextlib.suppress(OSError):
            (self._folder / _FILE).write_text(json.dumps({"address": address, "at": now}), encoding="utf-8")


ADVICE = "If that is a reverse proxy, add it to PODIUM_TRUSTED_PROXIES: its clients share the limits of one client."


def found(address: str) -> str:
    return f"Nearly all of the latest {SAMPLE:,} requests came from the private address {address}."


def suspected_proxy(folder: Path, now: float) -> str | None:
    """The private address that a server with this data folder warned about in the last day."""
    try:
        noted = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return str(noted["address"]) if now - noted["at"] < _FORGET else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_private(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_private
    except ValueError:
        return False
