"""The lease on a repository: one holder at a time, whoever dies or wakes up late.

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
from podium.storage.session import Database, Row, Session

# Nobody holds the repository. A lease that ran out while the database itself was away could not be renewed: its holder
# has ten seconds from the database's start to do so.
FREE = """(lease_until IS NULL OR lease_until < {now}
    AND (lease_until >= {up_since} OR {up_since} < {now} - 10))"""

_TAKE = f"""
UPDATE repository SET
    lease_holder = :holder,
    lease_until = {{now}} + :seconds,
    lease_token = lease_token + 1,
    -- A lease that ran out while it was held is a holder that died.
    crashes = crashes + CASE WHEN lease_holder IS NULL THEN 0 ELSE 1 END,
    updated_at = {{now}}
WHERE id = %s AND {FREE}
RETURNING *
"""

_TAKE_ONE = _TAKE % ":id"
# Whoever was rung for takes the one whose turn it is; what another is just taking is passed over.
_TAKE_NEXT = (
    _TAKE
    % f"""(
    SELECT id FROM repository
    WHERE host <> '' AND state IN ('pending', 'commits_processing') AND {FREE}
        AND (not_before IS NULL OR not_before <= {{now}})
    ORDER BY virtual_start, id LIMIT 1 {{skip_locked}}
)"""
)

_RENEW = """
UPDATE repository SET lease_until = {now} + :seconds
WHERE id = :id AND lease_token = :token AND lease_holder IS NOT NULL
"""

_RELEASE = """
UPDATE repository SET lease_holder = NULL, lease_until = NULL WHERE id = :id AND lease_token = :token
"""

# Seconds between two tries at a renewal that the database did not answer.
_TRY_AGAIN = 1.0


class Lease:
    """A lease that is held on the repository of ``row``; ``lost`` is set when somebody else has taken it over."""

    def __init__(self, db: Database, row: Row, seconds: float) -> None:
        self.row = row
        self.lost = threading.Event()
        self._db = db
        self._seconds = seconds
        self._released = threading.Event()

    @contextlib.contextmanager
    def fence(self) -> Iterator[Session]:
        """A transaction that locks the repository and is void unless this lease still holds.

        It ends with a renewal: while it keeps the row locked, nothing else can renew, and whoever waits for the row
        must not take a holder for dead that was only saving.

        Raises:
            LeaseLost: somebody else has taken the repository over; nothing was saved.
            StorageError: the database cannot be written.
        """
        with self._db.write() as session:
            token = session.value(
                "SELECT lease_token FROM repository WHERE id = :id AND lease_holder IS NOT NULL {for_update}",
                id=self.row["id"],
            )
            if token != self.row["lease_token"]:
                self.lost.set()
                raise LeaseLost("Another worker has taken this repository over.")
            yield session
            self._renew(session)

    def _renew(self, session: Session) -> int:
        return session.run(_RENEW, id=self.row["id"], token=self.row["lease_token"], seconds=self._seconds)

    def _renew_until_released(self) -> None:
        wait = self._seconds / 4
        while not self._released.wait(wait):
            try:
                with self._db.write() as session:
                    renewed = self._renew(session)
            except StorageError:
                # If the database stays away the lease runs out, and the fence holds.
                wait = min(_TRY_AGAIN, self._seconds / 4)
                continue
            wait = self._seconds / 4
            if not renewed:
                self.lost.set()
                return


def grab(db: Database, repository_id: int, *, seconds: float) -> Row | None:
    """Take the lease on a repository for so many seconds; give its row, None where it is held or gone.

    Raises:
        StorageError: the database cannot be written.
    """
    with db.write() as session:
        return session.one(_TAKE_ONE, id=repository_id, holder=secrets.token_hex(16), seconds=seconds)


def grab_next(db: Database, rung_for: int, *, seconds: float) -> Row | None:
    """Take the lease on the repository whose turn it is to be counted; where it is nobody's, on ``rung_for``.

    Returns:
        The repository's row; None where nothing is to be done.

    Raises:
        StorageError: the database cannot be written.
    """
    with db.write() as session:
        row = session.one(_TAKE_NEXT, holder=secrets.token_hex(16), seconds=seconds)
    return row or grab(db, rung_for, seconds=seconds)


def adopt(db: Database, repository_id: int, token: int, *, seconds: float) -> Row | None:
    """Go on with a lease that a parent process took; None where it has passed on.

    Raises:
        StorageError: the database cannot be written.
    """
    with db.write() as session:
        return session.one(_RENEW + "RETURNING *", id=repository_id, token=token, seconds=seconds)


def give_back(db: Database, row: Row) -> None:
    """End a lease, if it still holds.

    Raises:
        StorageError: the database cannot be written.
    """
    with db.write() as session:
        session.run(_RELEASE, id=row["id"], token=row["lease_token"])


@contextlib.contextmanager
def hold(db: Database, row: Row, *, seconds: float) -> Iterator[Lease]:
    """Hold a lease that was taken (``row``) for the length of a ``with`` block, renewing it meanwhile."""
    lease = Lease(db, row, seconds)
    renewer = threading.Thread(target=lease._renew_until_released, name=f"lease-{row['id']}", daemon=True)
    renewer.start()
    try:
        yield lease
    finally:
        lease._released.set()
        renewer.join()
        if not lease.lost.is_set():
            # A database that does not answer now lets it run out by itself.
            with contextlib.suppress(StorageError):
                give_back(db, row)


@contextlib.contextmanager
def take(db: Database, repository_id: int, *, seconds: float) -> Iterator[Lease | None]:
    """Take the lease on a repository for the length of a ``with`` block, renewing it meanwhile.

    Yields:
        The lease; None where somebody else holds it or there is no such repository.

    Raises:
        StorageError: the database cannot be written.
    """
    row = grab(db, repository_id, seconds=seconds)
    if row is None:
        yield None
        return
    with hold(db, row, seconds=seconds) as lease:
        yield lease


def save_progress(db: Database, row: Row, progress: str) -> None:
    """Note what a holder is doing, for people to see: not fenced with a lock, conditional on the token.

    A database that does not answer is no reason to stop: the note is left out.
    """
    with contextlib.suppress(StorageError), db.write() as session:
        session.run(
            "UPDATE repository SET progress = :progress, updated_at = {now} WHERE id = :id AND lease_token = :token",
            id=row["id"],
            token=row["lease_token"],
            progress=progress,
        )
