"""One client that waits for an answer."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any, TypeVar

from starlette.types import Receive

from podium.errors import ReaderGone
from podium.web.clients import ClientNetwork
from podium.web.read_budget import ReadBudget

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class WaitingClient:
    """The client of a request whose body, if any, was read."""

    client: ClientNetwork
    budget: ReadBudget
    receive: Receive

    def start(self) -> None:
        """Begin costly work for this client, until :meth:`end`.

        Raises:
            TooManyRequests: its budget is used up.
        """
        self.budget.start(self.client)

    def end(self, seconds: float) -> None:
        """End costly work that took ``seconds`` of CPU time."""
        self.budget.end(self.client, 1000 * seconds)

    async def result(self, future: asyncio.Future[T]) -> T:
        """The result of ``future``, which is not cancelled here.

        Raises:
            ReaderGone: the client disconnected first.
        """
        gone = asyncio.ensure_future(self._disconnected())
        try:
            either: set[asyncio.Future[Any]] = {future, gone}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
        if not future.done():
            raise ReaderGone
        return future.result()

    async def _disconnected(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
