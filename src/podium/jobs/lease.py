"""The lease on a repository: one holder at a time, even if one dies or wakes up late.

A lease is taken by one conditional UPDATE, by the database's clock, and renewed by a thread while its holder works.
Each take-over increments ``lease_token``, the fence: whatever the holder saves is saved under :meth:`Lease.fence`,
in a transaction that locks the Repository row first. A holder that was stopped longer than the lease can therefore
save nothing; it learns so at its next renewal or save. (Kleppmann, *How to do distributed locking*, 2016, describes
the token.)
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Iterator

from podium.errors import LeaseLost, StorageError
from podium.jobs.periodic import Periodic
from podium.repositories.model import Repository
from podium.repositories.store import leases
from podium.storage.session import Database, Session

# Seconds until the next renewal after one that the database did not answer.
_RETRY_SECONDS = 1.0


class Lease:
    """A held lease on ``repository``; ``lost`` is set once another worker has taken it over."""

    def __init__(self, db: Database, repository: Repository, seconds: float) -> None:
        self.repository = repository
        self.lost = threading.Event()
        self._db = db
        self._seconds = seconds

    @contextlib.contextmanager
    def fence(self) -> Iterator[Session]:
        """A transaction that locks the repository and is void unless this lease still holds.

        It ends with a renewal: while it keeps the row locked, nothing else can renew, and a worker that waits for the
        row must not take a holder for dead that was only saving.

        Raises:
            LeaseLost: another worker has taken the repository over; nothing was saved.
            StorageError: the database cannot be written.
        """
        with self._db.write() as session:
            if leases.lock_holder(session, self.repository.id) != self.repository.lease_token:
                self.lost.set()
                raise LeaseLost("Another worker has taken this repository over.")
            yield session
            self._renew(session)

    def renew(self) -> None:
        """Renew the lease, or set ``lost``.

        Raises:
            StorageError: the database did not answer; if it stays away the lease expires, and the fence holds.
        """
        with self._db.write() as session:
            if not self._renew(session):
                self.lost.set()

    def _renew(self, session: Session) -> bool:
        return leases.renew(session, self.repository.id, self.repository.lease_token, seconds=self._seconds)


def grab(db: Database, repository_id: int, *, seconds: float) -> Repository | None:
    """Take the lease on a repository for ``seconds``; None where it is held or gone.

    Raises:
        StorageError: the database cannot be written.
    """
    with db.write() as session:
        return leases.take(session, repository_id, holder=secrets.token_hex(16), seconds=seconds)


def grab_next(db: Database, repository_id: int, *, seconds: float) -> Repository | None:
    """Take the lease on the repository at the head of the commit queue; on ``repository_id`` where the queue is empty.

    A message only wakes a worker: which repository is counted next is decided here.

    Returns:
        The repository; None where there is nothing to do.

    Raises:
        StorageError: the database cannot be written.
    """
    with db.write() as session:
        repository = leases.take_next(session, holder=secrets.token_hex(16), seconds=seconds)
    return repository or grab(db, repository_id, seconds=seconds)


def adopt(db: Database, repository_id: int, token: int, *, seconds: float) -> Repository | None:
    """Continue a lease that a parent process took; None where it has been lost.

    Raises:
        StorageError: the database cannot be written.
    """
    with db.write() as session:
        return leases.adopt(session, repository_id, token, seconds=seconds)


def give_back(db: Database, repository: Repository) -> None:
    """End a lease, if it still holds.

    Raises:
        StorageError: the database cannot be written.
    """
    with db.write() as session:
        leases.release(session, repository.id, repository.lease_token)


@contextlib.contextmanager
def hold(db: Database, repository: Repository, *, seconds: float) -> Iterator[Lease]:
    """Renew a lease that was taken (``repository``) for the length of a ``with`` block, then end it."""
    lease = Lease(db, repository, seconds)
    every = seconds / 4
    try:
        with Periodic(f"lease-{repository.id}", every, lease.renew, retry_seconds=min(_RETRY_SECONDS, every)):
            yield lease
    finally:
        if not lease.lost.is_set():
            # A database that does not answer now lets it expire.
            with contextlib.suppress(StorageError):
                give_back(db, repository)


def save_progress(db: Database, repository: Repository, progress: str) -> None:
    """Keep what a holder is doing, for its users: not fenced with a lock, but conditional on the token.

    A database that does not answer is no reason to stop: the note is left out.
    """
    with contextlib.suppress(StorageError), db.write() as session:
        leases.note_progress(session, repository.id, repository.lease_token, progress)
