"""The short way for answers that are ready: from the address straight to the bytes.

A route that made an answer leaves a plan: which repository, and which answer of it. The next request for the same
address by the same kind of viewer needs the repository's row and the ready-made bytes, and no routing, validation or
rendering. What is not ready goes the whole way.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from podium.errors import PodiumError
from podium.web.cache.boards import Boards
from podium.web.cache.cached_response import Body
from podium.web.middleware.security_middleware import is_from_here

# Addresses that are remembered, and the longest of them: what nobody types is not worth it.
MOST = 5_000
LONGEST = 500

# Path, query, scheme and Host, and whether it is asked for on this machine.
Address = tuple[str, bytes, str, bytes | None, bool]


class Plan(NamedTuple):
    """Which answer an address stands for: see :meth:`podium.web.cache.boards.Boards.get`."""

    key: str
    what: tuple[object, ...]
    live: bool


class Plans:
    """The plans of the addresses asked for lately.

    Args:
        private: whether only this machine can reach the server, so that who is here may see more than others.
    """

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._plans: OrderedDict[Address, tuple[Plan, object]] = OrderedDict()

    def remember(self, request: Request, plan: Plan) -> None:
        """Leave a plan for whoever asks for the same next."""
        address = self._address(request.scope, dict(request.scope["headers"]))
        if len(address[0]) + len(address[1]) > LONGEST:
            return
        self._plans[address] = (plan, request.scope.get("route"))
        if len(self._plans) > MOST:
            self._plans.popitem(last=False)

    def find(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Plan | None:
        """The plan for a request, if there is one; the scope is told its route, by which requests are counted."""
        found = self._plans.get(self._address(scope, headers))
        if found is None:
            return None
        scope["route"] = found[1]
        return found[0]

    def _address(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Address:
        here = self._private and is_from_here(headers)
        return scope["path"], scope["query_string"], scope["scheme"], headers.get(b"host"), here


class Express:
    """ASGI middleware around the routes."""

    def __init__(self, app: ASGIApp, *, plans: Plans, boards: Boards) -> None:
        self._app = app
        self._plans = plans
        self._boards = boards

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            headers = dict(scope["headers"])
            plan = self._plans.find(scope, headers)
            body = await self._ready(plan) if plan is not None else None
            if body is not None:
                await body.send(headers, send)
                return
        await self._app(scope, receive, send)

    async def _ready(self, plan: Plan) -> Body | None:
        try:
            row = await self._boards.row(plan.key)
            return await self._boards.find(row, plan.what, live=plan.live) if row is not None else None
        except PodiumError:
            # Errors are answered by the routes' own handlers, on the whole way.
            return None
