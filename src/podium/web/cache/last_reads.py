"""When boards were read, saved about once an hour for each."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

from cachetools import TTLCache

from podium.errors import StorageError
from podium.repositories.store import revision_rows
from podium.storage.session import Database

# Seconds. The order of boards that were read within it is not known.
EVERY = 3600.0
_MOST = 10_000


class LastReads:
    """Writes in a thread of its own, so that no reader waits for the database's other writers.

    What is noted during one transaction is saved by the next one.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._thread = ThreadPoolExecutor(1, "last-reads")
        self._noted: TTLCache[int, bool] = TTLCache(_MOST, EVERY)
        self._lock = threading.Lock()
        self._unsaved: set[int] = set()

    def note(self, repository_id: int) -> None:
        if repository_id in self._noted:
            return
        self._noted[repository_id] = True
        with self._lock:
            self._unsaved.add(repository_id)
        self._thread.submit(self._save)

    def _save(self) -> None:
        with self._lock:
            numbers, self._unsaved = sorted(self._unsaved), set()
        if numbers:
            with contextlib.suppress(StorageError), self._db.write() as session:
                revision_rows.note_reads(session, numbers, every=EVERY)
