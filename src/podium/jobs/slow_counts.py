from __future__ import annotations

import logging

from podium.errors import StorageError
from podium.repositories.model import Repository
from podium.repositories.store.queue import slow
from podium.storage.session import Database

log = logging.getLogger(__name__)


class SlowCounts:
    """The policy on slow counts, by the database's rows, so that it holds across processes.

    Implements :class:`podium.jobs.overflow.SlowPolicy`. While the database is away, every count stays where it is.

    Args:
        per_client: slow counts of one client that may run at a time.
        worker: its id.
        per_host: counts of one host that may run at a time, if it has no limit of its own; 0: no limit.
    """

    def __init__(self, db: Database, per_client: int, worker: str = "", per_host: int = 0) -> None:
        self._db = db
        self._per_host = per_host
        self._worker = worker
        self._per_client = per_client

    def may_overflow(self, repository: Repository, /) -> bool:
        try:
            with self._db.write() as session:
                return slow.mark(session, repository, per_client=self._per_client)
        except StorageError as error:
            log.warning("repository %d stays on its worker thread: %s", repository.id, error)
            return False

    def must_make_way(self, repository: Repository, /) -> bool:
        try:
            with self._db.write() as session:
                return slow.make_way(session, repository, per_host=self._per_host)
        except StorageError as error:
            log.warning("repository %d stays on its worker thread: %s", repository.id, error)
            return False

    def next_waiting(self) -> int | None:
        try:
            with self._db.read() as session:
                return slow.next_waiting(
                    session, per_client=self._per_client, worker=self._worker, per_host=self._per_host
                )
        except StorageError:
            # The reconciler enqueues it.
            return None
