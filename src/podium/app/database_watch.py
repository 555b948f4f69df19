"""What a running process asks the database every few seconds: its revision, and whether something was removed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from podium.errors import WrongRevision
from podium.jobs.periodic import Periodic
from podium.repositories.store.deletion import removal
from podium.storage import migrate
from podium.storage.session import Session
from podium.storage.transactions.guarded_database import GuardedDatabase
from podium.storage.transactions.time_limits import QUICK
from podium.telemetry.outage_log import OutageLog

log = logging.getLogger(__name__)

# Seconds, of a server, which must not show for long what was removed, and of a worker, which shows nothing.
EVERY = 1.0
EVERY_OF_A_WORKER = 60.0


class DatabaseWatch:
    """Keeps a process from a database of a revision that it cannot use, until that changes.

    Args:
        on_removal: called when any process may have removed a repository or a person.
    """

    def __init__(self, db: GuardedDatabase, on_removal: Sequence[Callable[[], None]] | None = None) -> None:
        self._db = db
        self._on_removal = on_removal
        self._removals: object = None
        self._said = ""

    def periodic(self, seconds: float = EVERY) -> Periodic:
        outages = OutageLog(log, "the database cannot be used", "the database can be used again")
        return Periodic("database-watch", seconds, self.look, outage_log=outages)

    def look(self) -> None:
        """Raise StorageError if the database cannot be used."""
        try:
            with self._db.unrefused(QUICK) as session:
                self._judge(session)
        except WrongRevision as error:
            self._db.refuse(error)
            raise
        self._db.refuse(None)

    def _judge(self, session: Session) -> None:
        warning = migrate.warning_of(session)
        if warning and warning != self._said:
            log.warning("%s", warning)
        self._said = warning or ""
        if self._on_removal is not None:
            latest = removal.latest(session)
            if self._removals not in (None, latest):
                for call in self._on_removal:
                    call()
            self._removals = latest
