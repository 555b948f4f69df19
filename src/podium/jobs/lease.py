"""The lease on a repository: one holder at a time, whoever dies or wakes up late.

A lease is taken by one conditional UPDATE, by the database's clock, and renewed by a thread while its holder works.
Each take-over increments ``lease_token``, the fence: whatever the holder saves is saved under :meth:`Lease.fence`,
in a transaction that locks the Repository row first. A holder that was stopped longer than the lease can therefore
save nothing; it learns so at its next renewal or save. (Kleppmann, *How to do distributed locking*, 2016, describes
the token.)
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Iterator

from podium.errors import LeaseLost, StorageError
from podium.storage.session import Database, Row, Session

_TAKE = """
UPDATE repository SET
    lease_holder = :holder,
    lease_until = {now} + :seconds,
    lease_token = lease_token + 1,
    -- A lease that ran out while it was held is a holder that died.
    deaths = deaths + CASE WHEN lease_holder IS NULL THEN 0 ELSE 1 END,
    updated_at = {now}
WHERE id = :id AND (lease_until IS NULL OR lease_until < {now})
RETURNING *
"""

_RENEW = """
UPDATE repository SET lease_until = {now} + :seconds
WHERE id = :id AND lease_token = :token AND lease_holder IS NOT NULL
"""

_RELEASE = """
UPDATE repository SET lease_holder = NULL, lease_until = NULL WHERE id = :id AND lease_token = :token
"""


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

    def _renew_until_released(self) -> None:
        while not self._released.wait(self._seconds / 4):
            try:
                with self._db.write() as session:
                    renewed = session.run(
                        _RENEW, id=self.row["id"], token=self.row["lease_token"], seconds=self._seconds
                    )
            except StorageError:
                # The next turn tries again; if the database stays away the lease runs out, and the fence holds.
                continue
            if not renewed:
                self.lost.set()
                return


@contextlib.contextmanager
def take(db: Database, repository_id: int, *, seconds: float) -> Iterator[Lease | None]:
    """Take the lease on a repository for the length of a ``with`` block, renewing it meanwhile.

    Yields:
        The lease; None where somebody else holds it or there is no such repository.

    Raises:
        StorageError: the database cannot be written.
    """
    holder = uuid.uuid4().hex
    with db.write() as session:
        row = session.one(_TAKE, id=repository_id, holder=holder, seconds=seconds)
    if row is None:
        yield None
        return
    lease = Lease(db, row, seconds)
    renewer = threading.Thread(target=lease._renew_until_released, name=f"lease-{repository_id}", daemon=True)
    renewer.start()
    try:
        yield lease
    finally:
        lease._released.set()
        renewer.join()
        if not lease.lost.is_set():
            with db.write() as session:
                session.run(_RELEASE, id=repository_id, token=row["lease_token"])


def save_progress(db: Database, row: Row, progress: str) -> None:
    """Note what a holder is doing, for people to see: not fenced with a lock, conditional on the token."""
    with db.write() as session:
        session.run(
            "UPDATE repository SET progress = :progress, updated_at = {now} WHERE id = :id AND lease_token = :token",
            id=row["id"],
            token=row["lease_token"],
            progress=progress,
        )
