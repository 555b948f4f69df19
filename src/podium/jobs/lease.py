"""The lease on a repository: one holder at a time, even if a holder dies or wakes up late.

One conditional UPDATE takes the lease, by the database's clock. A thread renews it while its holder works. Each
take-over increments ``lease_token``, the fence: the holder saves only under :meth:`Lease.fence`, in a transaction
that locks the repository's row first. So a holder that was stopped for longer than the lease cannot save anything. It
detects this at its next renewal or save. (Kleppmann, *How to do distributed locking*, 2016, describes the token.)

Functions that write raise StorageError if the database does not answer, except :func:`give_back`.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Iterator

from podium.errors import LeaseLost, StorageError
from podium.jobs.periodic import Periodic
from podium.repositories.model import Repository
from podium.repositories.store import transitions
from podium.repositories.store.freshness import names
from podium.repositories.store.queue import host_limits, leases
from podium.storage.session import Database, Session

# Seconds between tries after a failed renewal or release.
_RETRY_SECONDS = 1.0
_MOST_RELEASES = 3_600


class Lease:
    """A held lease; ``lost`` is set once another worker has taken it over."""

    def __init__(self, db: Database, repository: Repository, seconds: float) -> None:
        self.repository = repository
        self.lost = threading.Event()
        self._db = db
        self._seconds = seconds

    @contextlib.contextmanager
    def fence(self, *, with_family: bool = False) -> Iterator[Session]:
        """Open a transaction that locks the repository and fails unless this lease still holds.

        It renews the lease at its end: a worker that waits for the locked row must not mistake a saving holder for a
        dead one.

        with_family: it may change the repository's branches and tags, too.

        Raises:
            LeaseLost: another worker has taken the repository over; nothing was saved.
        """
        with self._db.write() as session:
            if with_family:
                names.lock_families(session, [self.repository.repository_key])
            if leases.lock_holder(session, self.repository.id) != self.repository.lease_token:
                self.lost.set()
                raise LeaseLost("Another worker has taken this repository over.")
            yield session
            self._renew(session)

    def renew(self) -> None:
        with self._db.write() as session:
            if not self._renew(session):
                self.lost.set()

    def _renew(self, session: Session) -> bool:
        return leases.renew(session, self.repository.id, self.repository.lease_token, seconds=self._seconds)


def grab(db: Database, repository_id: int, *, seconds: float) -> Repository | None:
    """Take a free lease for ``seconds``; return None if it is held or the repository does not exist."""
    with db.write() as session:
        return leases.take(session, repository_id, holder=secrets.token_hex(16), seconds=seconds)


def grab_slow(db: Database, repository_id: int, *, seconds: float, per_host: int = 0) -> Repository | None:
    """Like :func:`grab`, but return None also if the host is at its limit; ``per_host``: see :func:`grab_next`."""
    holder = secrets.token_hex(16)
    with db.write() as session:
        limit = per_host if host_limits.is_any_full(session, per_host) else None
        return leases.take_slow(session, repository_id, holder=holder, seconds=seconds, per_host=limit)


def grab_next(
    db: Database, repository_id: int, *, seconds: float, worker: str = "", per_host: int = 0
) -> Repository | None:
    """Take the lease on the first repository of the commit queue, or on ``repository_id`` if the queue is empty.

    It skips slow repositories, those that the worker with this id cannot count, and those of hosts at their limit.
    per_host: the limit of hosts without one of their own; 0: no limit.
    """
    holder = secrets.token_hex(16)
    with db.write() as session:
        limit = per_host if host_limits.is_any_full(session, per_host) else None
        found = leases.take_next(session, holder=holder, seconds=seconds, worker=worker, per_host=limit)
        return found or leases.take_quick(
            session, repository_id, holder=holder, seconds=seconds, worker=worker, per_host=limit
        )


def adopt(db: Database, repository_id: int, token: int, *, seconds: float) -> Repository | None:
    """Continue a lease that a parent process took; return None if it was lost."""
    with db.write() as session:
        return leases.adopt(session, repository_id, token, seconds=seconds)


def give_back(db: Database, repository: Repository) -> None:
    """Release the lease, in a thread if the database is away: if it expired, that would count as a crash."""

    def try_again() -> None:
        with db.write() as session:
            if not leases.release(session, repository.id, repository.lease_token):
                # Another worker has taken it over and counted a crash.
                transitions.uncount_crash(session, repository.id)

    try:
        release(db, repository.id, repository.lease_token)
    except StorageError:
        _until_done(repository, try_again)


def _until_done(repository: Repository, do: Callable[[], None]) -> None:
    left = _MOST_RELEASES

    def try_again() -> None:
        nonlocal left
        left -= 1
        if not left:
            again.stop(wait=False)
        do()
        again.stop(wait=False)

    again = Periodic(f"release-{repository.id}", _RETRY_SECONDS, try_again)
    again.start()


def release(db: Database, repository_id: int, token: int) -> None:
    """Release a lease that this process has not adopted; do nothing if another worker holds the repository."""
    with db.write() as session:
        leases.release(session, repository_id, token)


@contextlib.contextmanager
def renewing(db: Database, repository: Repository, *, seconds: float) -> Iterator[Lease]:
    """Renew the lease of ``repository`` during a ``with`` block; it stays taken."""
    lease = Lease(db, repository, seconds)
    every = seconds / 4
    with Periodic(f"lease-{repository.id}", every, lease.renew, retry_seconds=min(_RETRY_SECONDS, every)):
        yield lease


@contextlib.contextmanager
def hold(db: Database, repository: Repository, *, seconds: float) -> Iterator[Lease]:
    """Renew the lease of ``repository`` during a ``with`` block, then release it."""
    lease: Lease | None = None
    try:
        with renewing(db, repository, seconds=seconds) as lease:
            yield lease
    finally:
        if lease is not None and lease.lost.is_set():
            # The worker that took it over counted a crash, but this one lives: the database was locked or away.
            with contextlib.suppress(StorageError), db.write() as session:
                transitions.uncount_crash(session, repository.id)
        else:
            give_back(db, repository)


def save_progress(db: Database, repository: Repository, progress: str) -> None:
    """Save a holder's progress, if its token is still valid and the database answers."""
    with contextlib.suppress(StorageError), db.write() as session:
        leases.note_progress(session, repository.id, repository.lease_token, progress)
