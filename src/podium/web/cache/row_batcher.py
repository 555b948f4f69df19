"""One read of rows for all concurrent requests, like a DataLoader.

A request waits for a read that began after it arrived, so it never sees an older state. A completed board is the
exception: its row is used again for a moment (:mod:`read_moment`), unless this process has written meanwhile.
So changes of this process show at once, and those of others within half a second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from cachetools import LRUCache

from podium.repositories.model import Repository, State
from podium.repositories.store import readable
from podium.storage.session import Database, Session
from podium.web.cache.read_moment import ReadMoment

_MOST_KEPT = 5_000


class RowBatcher:
    """Reads rows by ``repository.key`` or ``repository.id``.

    Args:
        clock: as ``time.monotonic``.
    """

    def __init__(self, db: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._clock = clock
        # Slower work in the shared pool cannot delay it.
        self._thread = ThreadPoolExecutor(1, "rows")
        self._waiting: dict[str | int, asyncio.Future[Repository | None]] = {}
        self._reading: asyncio.Task[None] | None = None
        # Rows of completed boards, and when their reading began.
        self._kept: LRUCache[str | int, tuple[ReadMoment, Repository]] = LRUCache(_MOST_KEPT)

    async def read(self, key: str | int) -> Repository | None:
        """None for what no reader may see (:mod:`podium.repositories.store.readable`)."""
        kept = self._kept.get(key)
        if kept is not None and kept[0].is_fresh(self._clock()):
            return kept[1]
        loop = asyncio.get_running_loop()
        future = self._waiting.get(key)
        if future is None or future.get_loop() is not loop:
            future = self._waiting[key] = loop.create_future()
        if self._reading is None or self._reading.done() or self._reading.get_loop() is not loop:
            self._reading = loop.create_task(self._read_all())
        # A cancelled caller must not cancel the future of the others.
        return await asyncio.shield(future)

    async def _read_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            began = ReadMoment.now(self._clock)
            try:
                rows = await loop.run_in_executor(self._thread, self._rows, list(waiting))
            except Exception as error:  # noqa: BLE001 - passed on to every waiting request
                for future in waiting.values():
                    future.set_exception(error)
                    # If every caller was cancelled, nothing else retrieves the exception.
                    future.exception()
            else:
                for key, future in waiting.items():
                    self._keep(key, began, rows[key])
                    future.set_result(rows[key])

    def _keep(self, key: str | int, began: ReadMoment, row: Repository | None) -> None:
        # Of an unfinished one each step shows at once, and what follows a completion in another process, too.
        if row is not None and row.state == State.COMPLETED:
            self._kept[key] = (began, row)
        else:
            self._kept.pop(key, None)

    def _rows(self, keys: list[str | int]) -> dict[str | int, Repository | None]:
        with self._db.read() as session:
            return {key: read_row(session, key) for key in keys}


def read_row(session: Session, key: str | int) -> Repository | None:
    return readable.by_key(session, key) if isinstance(key, str) else readable.by_id(session, key)
