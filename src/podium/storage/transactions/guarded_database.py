"""A database that is not asked while it is away, or while its tables are of a revision that this Podium cannot use."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator

from podium.errors import DatabaseAway, WrongRevision
from podium.storage.session import Database, Session
from podium.storage.transactions.time_limits import NORMAL, QUICK, TimeLimit

# Seconds between two transactions that try whether the database is back.
TRY_EVERY = 2.0
# Seconds in which a transaction must begin for which a client waits.
BEGIN_WITHIN = 2.0


class GuardedDatabase:
    """After the first transaction that finds the database away, others fail at once, so no thread waits for it.

    Every :data:`TRY_EVERY` seconds one of them first tries whether it is back.

    Args:
        fails_fast: False: every transaction asks the database, which has a patience of its own.
        clock: as ``time.monotonic``.
    """

    def __init__(self, db: Database, *, fails_fast: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._fails_fast = fails_fast
        self._clock = clock
        self._lock = threading.Lock()
        self._away: DatabaseAway | None = None
        self._next_try = 0.0
        self._refusal: WrongRevision | None = None

    def refuse(self, error: WrongRevision | None) -> None:
        """Raise ``error`` in each transaction from now on; None: no longer."""
        self._refusal = error

    @contextlib.contextmanager
    def unrefused(self, limit: TimeLimit = NORMAL) -> Iterator[Session]:
        """Read, even a database that is refused."""
        with self._guarded(self._db.read, limit) as session:
            yield session

    def read(self, limit: TimeLimit = NORMAL, /) -> contextlib.AbstractContextManager[Session]:
        self._check()
        return self._guarded(self._db.read, limit)

    def write(self, limit: TimeLimit = NORMAL, /) -> contextlib.AbstractContextManager[Session]:
        self._check()
        return self._guarded(self._db.write, limit)

    def close(self) -> None:
        self._db.close()

    def _check(self) -> None:
        if self._refusal is not None:
            raise WrongRevision(self._refusal.message)

    @contextlib.contextmanager
    def _guarded(
        self, begin: Callable[[TimeLimit], contextlib.AbstractContextManager[Session]], limit: TimeLimit
    ) -> Iterator[Session]:
        if self._fails_fast:
            if self._away is not None:
                self._try(self._away)
            if limit.begin > BEGIN_WITHIN:
                limit = dataclasses.replace(limit, begin=BEGIN_WITHIN)
        try:
            with begin(limit) as session:
                yield session
        except DatabaseAway as error:
            self._note(error)
            raise

    def _try(self, away: DatabaseAway) -> None:
        with self._lock:
            now = self._clock()
            if now < self._next_try:
                raise DatabaseAway(away.message, away.code)
            self._next_try = now + TRY_EVERY
        try:
            with self._db.read(QUICK) as session:
                session.value("SELECT 1")
        except DatabaseAway as error:
            self._note(error)
            raise
        self._away = None

    def _note(self, error: DatabaseAway) -> None:
        self._away, self._next_try = error, self._clock() + TRY_EVERY
