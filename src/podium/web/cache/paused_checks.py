"""Which repositories have paused checks, for pages."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from podium.errors import StorageError
from podium.repositories.model import Repository
from podium.repositories.store.queue import pauses
from podium.repositories.store.queue.pauses import PauseKind
from podium.storage.session import Database
from podium.storage.transactions.time_limits import QUICK

# Seconds until the copy is read again in the background.
EVERY = 5.0


class PausedChecks:
    """A copy of the few rows of the table, so that no page waits for it."""

    def __init__(self, db: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "pauses")
        self._names: frozenset[tuple[str, str]] = frozenset()
        self._at = float("-inf")

    def __contains__(self, row: Repository) -> bool:
        if self._clock() >= self._at + EVERY:
            self._at = self._clock()
            self._thread.submit(self.read)
        places = ((PauseKind.SCHEDULE, ""), (PauseKind.HOST, row.host), (PauseKind.REPOSITORY, str(row.id)))
        return any((str(kind), name) in self._names for kind, name in places)

    def read(self) -> None:
        # While the database is away, the last copy counts.
        with contextlib.suppress(StorageError), self._db.read(QUICK) as session:
            self._names = pauses.names(session)
