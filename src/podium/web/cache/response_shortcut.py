"""The shortcut from a URL to its cached response, without routing and rendering."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from cachetools import LRUCache
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from podium.errors import PodiumError
from podium.web.cache.boards import AnswerName, BoardCache
from podium.web.cache.cached_response import CachedResponse

# Longer URLs are neither typed nor linked.
MAX_SHORTCUTS = 5_000
MAX_LENGTH = 500

RequestHeaders = Mapping[bytes, bytes]
# Path, query, scheme, Host, and whether the client is local.
Address = tuple[str, bytes, str, bytes | None, bool]


class Shortcut(NamedTuple):
    """The parameters of :meth:`podium.web.cache.boards.BoardCache.find`."""

    repository_key: str
    name: AnswerName
    live: bool


class Shortcuts:
    """The shortcuts of the latest URLs.

    Args:
        is_local: whether a request comes from this machine, which may see more.
    """

    def __init__(self, is_local: Callable[[RequestHeaders], bool]) -> None:
        self._is_local = is_local
        self._shortcuts: LRUCache[Address, tuple[Shortcut, object]] = LRUCache(MAX_SHORTCUTS)

    def __len__(self) -> int:
        return len(self._shortcuts)

    def remember(self, request: Request, shortcut: Shortcut) -> None:
        address = self._address(request.scope, dict(request.scope["headers"]))
        if len(address[0]) + len(address[1]) <= MAX_LENGTH:
            self._shortcuts[address] = (shortcut, request.scope.get("route"))

    def find(self, scope: Scope, headers: RequestHeaders) -> Shortcut | None:
        """Sets the scope's route too, a label of metrics."""
        found = self._shortcuts.get(self._address(scope, headers))
        if found is None:
            return None
        scope["route"] = found[1]
        return found[0]

    def _address(self, scope: Scope, headers: RequestHeaders) -> Address:
        return scope["path"], scope["query_string"], scope["scheme"], headers.get(b"host"), self._is_local(headers)


class ResponseShortcut:
    def __init__(self, app: ASGIApp, *, shortcuts: Shortcuts, boards: BoardCache) -> None:
        self._app = app
        self._shortcuts = shortcuts
        self._boards = boards

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            headers = dict(scope["headers"])
            shortcut = self._shortcuts.find(scope, headers)
            cached = await self._ready(shortcut) if shortcut is not None else None
            if cached is not None:
                await cached.send(headers, send)
                return
        await self._app(scope, receive, send)

    async def _ready(self, shortcut: Shortcut) -> CachedResponse | None:
        try:
            row = await self._boards.row(shortcut.repository_key)
            return await self._boards.find(row, shortcut.name, live=shortcut.live) if row is not None else None
        except PodiumError:
            # The routes handle errors.
            return None
