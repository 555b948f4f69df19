"""How many people a board ranks under the default rules, saved when it is made, for lists of boards."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

from cachetools import TTLCache

from podium.errors import StorageError
from podium.repositories.model import Repository, State
from podium.repositories.store import transitions
from podium.storage.session import Database

# Seconds until a number that could not be saved is saved again.
_AGAIN = 60.0
_MOST = 10_000


class PeopleCounts:
    """Writes in a thread of its own, so that no reader waits for the database's other writers."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._thread = ThreadPoolExecutor(1, "people-counts")
        self._noted: TTLCache[tuple[int, int, int], bool] = TTLCache(_MOST, _AGAIN)

    def note(self, row: Repository, people: int | None) -> None:
        """``row`` was read in the transaction that ranked the people; None: they were not ranked."""
        if people is None or people == row.people or row.state != State.COMPLETED:
            return
        name = (row.id, row.generation, people)
        if name not in self._noted:
            self._noted[name] = True
            self._thread.submit(self._save, *name)

    def _save(self, repository_id: int, generation: int, people: int) -> None:
        with contextlib.suppress(StorageError), self._db.write() as session:
            transitions.note_people(session, repository_id, generation, people)
