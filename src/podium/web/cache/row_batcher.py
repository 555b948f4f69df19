"""One read of rows for all concurrent requests, like a DataLoader.

A request waits for a read that began after it arrived, so it never sees an older state. A completed board is the
exception: its row is used again for a moment (:mod:`read_moment`), unless this process has written meanwhile.
So changes of this process show at once, and those of others within half a second.

While the database cannot be read, a request gets the row that was read last, and :mod:`staleness` notes its age.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from cachetools import LRUCache

from podium.errors import StorageError, WrongRevision
from podium.repositories.model import Repository, State
from podium.repositories.store.readers import readable
from podium.storage.session import Database, Session
from podium.storage.transactions.time_limits import QUICK
from podium.web.cache import staleness
from podium.web.cache.read_moment import ReadMoment

_MOST_KEPT = 5_000

# A row, and its age in seconds if it is not the current one.
_Found = tuple[Repository | None, float | None]


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
        self._waiting: dict[str | int, asyncio.Future[_Found]] = {}
        self._reading: asyncio.Task[None] | None = None
        # By id: rows, and when their reading began.
        self._kept: LRUCache[int, tuple[ReadMoment, Repository]] = LRUCache(_MOST_KEPT)
        self._ids: LRUCache[str, int] = LRUCache(_MOST_KEPT)

    async def read(self, key: str | int) -> Repository | None:
        """None for what no reader may see (:mod:`podium.repositories.store.readers.readable`)."""
        kept = self._last(key)
        # An unfinished repository shows each step at once, also what follows a completion in another process.
        if kept is not None and kept[1].state == State.COMPLETED and kept[0].is_fresh(self._clock()):
            return kept[1]
        loop = asyncio.get_running_loop()
        future = self._waiting.get(key)
        if future is None or future.get_loop() is not loop:
            future = self._waiting[key] = loop.create_future()
        if self._reading is None or self._reading.done() or self._reading.get_loop() is not loop:
            self._reading = loop.create_task(self._read_all())
        # A cancelled caller must not cancel the future of the others.
        row, age = await asyncio.shield(future)
        if age is not None:
            staleness.note(age)
        return row

    @property
    def has_rows(self) -> bool:
        return bool(self._kept)

    def drop(self) -> None:
        """A repository or a person was removed: while the database is away, no row that was read before is used."""
        # From any thread.
        self._kept = LRUCache(_MOST_KEPT)

    async def _read_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            began = ReadMoment.now(self._clock)
            try:
                rows = await loop.run_in_executor(self._thread, self._rows, list(waiting))
            except Exception as error:  # noqa: BLE001 - passed on to every waiting request
                for key, future in waiting.items():
                    self._settle_without(key, future, error)
            else:
                for key, future in waiting.items():
                    self._keep(key, began, rows[key])
                    future.set_result((rows[key], None))

    def _settle_without(self, key: str | int, future: asyncio.Future[_Found], error: Exception) -> None:
        kept = self._last(key)
        if kept is not None and isinstance(error, StorageError) and not isinstance(error, WrongRevision):
            age = self._clock() - kept[0].at
            if age <= staleness.MAX_STALE:
                future.set_result((kept[1], age))
                return
        future.set_exception(error)
        # If every caller was cancelled, nothing else retrieves the exception.
        future.exception()

    def _last(self, key: str | int) -> tuple[ReadMoment, Repository] | None:
        number = key if isinstance(key, int) else self._ids.get(key)
        kept = None if number is None else self._kept.get(number)
        # It may have got another name since, and another repository the one that is asked for.
        return None if kept is None or key not in (number, kept[1].key) else kept

    def _keep(self, key: str | int, began: ReadMoment, row: Repository | None) -> None:
        if row is not None:
            self._kept[row.id] = (began, row)
            self._ids[row.key] = row.id
            return
        number = key if isinstance(key, int) else self._ids.pop(key, None)
        if number is not None:
            self._kept.pop(number, None)

    def _rows(self, keys: list[str | int]) -> dict[str | int, Repository | None]:
        with self._db.read(QUICK) as session:
            return {key: read_row(session, key) for key in keys}


def read_row(session: Session, key: str | int) -> Repository | None:
    return readable.by_key(session, key) if isinstance(key, str) else readable.by_id(session, key)
