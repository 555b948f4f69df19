"""When boards of branches and tags were read, saved about once an hour for each."""

from __future__ import annotations

import contextlib
from concurrent.futures import Future, ThreadPoolExecutor

from cachetools import TTLCache

from podium.errors import StorageError
from podium.repositories.store import revision_rows
from podium.storage.session import Database

# Seconds. The order of boards that were read within it is not known.
EVERY = 3600.0
_MOST = 10_000


class LastReads:
    """Writes in a thread of its own, so that no reader waits for the database's other writers."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._thread = ThreadPoolExecutor(1, "last-reads")
        self._noted: TTLCache[int, Future[None]] = TTLCache(_MOST, EVERY)

    def note(self, repository_id: int) -> None:
        if repository_id not in self._noted:
            self._noted[repository_id] = self._thread.submit(self._save, repository_id)

    def _save(self, repository_id: int) -> None:
        with contextlib.suppress(StorageError), self._db.write() as session:
            revision_rows.note_read(session, repository_id, every=EVERY)
