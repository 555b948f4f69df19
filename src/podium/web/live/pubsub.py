"""Boards as they come to be, told to everybody who watches: one reading a second for each, however many they are.

The latest state is what matters: who is slow misses some that lie between, and nothing is queued for anyone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from podium.errors import StorageError, TooManyRequests
from podium.storage.session import Row
from podium.web.cache.boards import Boards

# Seconds between two looks at a repository that is being watched.
PERIOD = 1.0
# Watchers of one process; whoever comes after asks again and again instead.
MOST_WATCHERS = 5_000

log = logging.getLogger(__name__)

# What is told of a row to so many watchers: the bytes, and whether they are the last.
Tell = Callable[[Row, int], tuple[bytes, bool]]


class Watch:
    """One repository that is being watched: the latest that was told of it, and who waits for the next."""

    def __init__(self) -> None:
        self.watchers = 0
        self.latest: bytes | None = None
        self.is_last = False
        self.next: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.poller: asyncio.Task[None] | None = None

    def tell(self, event: bytes, *, is_last: bool) -> None:
        """Tell everybody who waits, unless it is what they know already."""
        if event == self.latest and is_last == self.is_last:
            return
        self.latest, self.is_last = event, is_last
        told, self.next = self.next, asyncio.get_running_loop().create_future()
        told.set_result(None)


class Hub:
    """All watches of one server."""

    def __init__(self, boards: Boards, tell: Tell) -> None:
        self._boards = boards
        self._tell = tell
        self._watches: dict[int, Watch] = {}
        self.closed = False

    def join(self, row: Row) -> Watch:
        """Watch a repository until :meth:`leave`.

        Raises:
            TooManyRequests: too many watch already.
        """
        if self.closed or sum(watch.watchers for watch in self._watches.values()) >= MOST_WATCHERS:
            raise TooManyRequests("Too many people are watching: ask for the state every few seconds instead.", 60)
        number = row["id"]
        watch = self._watches.get(number)
        if watch is None:
            watch = self._watches[number] = Watch()
            watch.poller = asyncio.get_running_loop().create_task(self._poll(number, watch))
        watch.watchers += 1
        return watch

    def leave(self, row: Row, watch: Watch) -> None:
        """Stop watching; the last to leave ends the looking."""
        watch.watchers -= 1
        if watch.watchers == 0:
            self._end(row["id"], watch)

    def _end(self, number: int, watch: Watch) -> None:
        if self._watches.get(number) is watch:
            del self._watches[number]
        if watch.poller is not None:
            watch.poller.cancel()

    def close(self) -> None:
        """Let everybody go: the server stops."""
        self.closed = True
        for watch in list(self._watches.values()):
            watch.tell(watch.latest or b"", is_last=True)

    async def _poll(self, number: int, watch: Watch) -> None:
        while not watch.is_last:
            try:
                row = await self._boards.row(number)
            except StorageError as error:
                log.warning("repository %d cannot be watched: %s", number, error.message)
                row = None
            if row is not None:
                event, is_last = self._tell(row, watch.watchers)
                watch.tell(event, is_last=is_last)
            await asyncio.sleep(PERIOD)
        # Who comes now gets a watch of their own.
        if self._watches.get(number) is watch:
            del self._watches[number]
