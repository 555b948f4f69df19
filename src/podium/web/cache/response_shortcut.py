"""The shortcut from a URL to its cached response, without routing and rendering."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from cachetools import LRUCache
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from podium.errors import PodiumError
from podium.leaderboard.dates import depends_on_today
from podium.web.authentication import is_administrator
from podium.web.cache.boards import AnswerName, BoardCache
from podium.web.cache.cached_response import CachedResponse
from podium.web.former_names import Renamed

MAX_SHORTCUTS = 5_000
# A client that varies the URL of one board evicts only shortcuts of that board.
MAX_PER_BOARD = 50
# Longer URLs are neither typed nor linked.
MAX_LENGTH = 500

RequestHeaders = Mapping[bytes, bytes]
# Path, query, origin.
Address = tuple[str, bytes, str]


class Shortcut(NamedTuple):
    """The parameters of :meth:`podium.web.cache.boards.BoardCache.find`."""

    repository_key: str
    name: AnswerName
    live: bool
    usual: bool = False


class _Latest(LRUCache[Address, tuple[Shortcut, object]]):
    """The latest shortcuts, at most :data:`MAX_PER_BOARD` of each repository."""

    def __init__(self) -> None:
        super().__init__(MAX_SHORTCUTS)
        self._of_board: dict[str, dict[Address, None]] = {}

    def __setitem__(self, address: Address, value: tuple[Shortcut, object], **_: Any) -> None:
        addresses = self._of_board.setdefault(value[0].repository_key, {})
        if address not in self and len(addresses) >= MAX_PER_BOARD:
            del self[next(iter(addresses))]
            addresses = self._of_board.setdefault(value[0].repository_key, {})
        addresses[address] = None
        super().__setitem__(address, value)

    def __delitem__(self, address: Address, **_: Any) -> None:
        key = self[address][0].repository_key
        super().__delitem__(address)
        del self._of_board[key][address]
        if not self._of_board[key]:
            del self._of_board[key]


class Shortcuts:
    """The shortcuts of the latest URLs. The administrator, who may see more, has none.

    A URL whose window depends on the day has none either.

    Args:
        origin: the origin that a request names; None if it is not one of a few.
    """

    def __init__(self, origin: Callable[[Scope, RequestHeaders], str | None]) -> None:
        self._origin = origin
        self._shortcuts = _Latest()

    def __len__(self) -> int:
        return len(self._shortcuts)

    def remember(self, request: Request, shortcut: Shortcut) -> None:
        if is_administrator(request.scope) or any(map(depends_on_today, _dates(request))):
            return
        address = self._address(request.scope, dict(request.scope["headers"]))
        if address is not None and len(address[0]) + len(address[1]) <= MAX_LENGTH:
            self._shortcuts[address] = (shortcut, request.scope.get("route"))

    def find(self, scope: Scope, headers: RequestHeaders) -> Shortcut | None:
        """Sets the scope's route too, a label of metrics."""
        address = self._address(scope, headers)
        found = None if address is None else self._shortcuts.get(address)
        if found is None or is_administrator(scope):
            return None
        scope["route"] = found[1]
        return found[0]

    def _address(self, scope: Scope, headers: RequestHeaders) -> Address | None:
        origin = self._origin(scope, headers)
        return None if origin is None else (scope["path"], scope["query_string"], origin)


def _dates(request: Request) -> Iterator[str]:
    return (text for name in ("since", "until") if (text := request.query_params.get(name)))


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
            return (
                await self._boards.find(row, shortcut.name, live=shortcut.live, usual=shortcut.usual)
                if row is not None
                else None
            )
        except (PodiumError, Renamed):
            # The routes handle errors.
            return None
