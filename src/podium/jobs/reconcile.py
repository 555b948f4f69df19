"""The reconciler: asks the database what is due and rings for it.

A crash between saving and ringing, a queue that lost its messages, a worker that was killed, a delay that never came
back: to the database they are all one case, a repository that is unfinished, not held, and not rung lately.
"""

from __future__ import annotations

import logging
import threading
import time

from podium.errors import StorageError
from podium.jobs import batches
from podium.jobs.queues import Ring
from podium.storage.session import Database, Row

log = logging.getLogger(__name__)

# Ring again for what was rung this many seconds ago; each time twice as late, at most LATEST, so that a
# repository which waits behind others for an hour does not fill the queue with copies of one message.
AGAIN = 30.0
LATEST = 600.0

_DUE = """
UPDATE repository SET rung_at = {now}
WHERE host <> '' AND state IN ('pending', 'commits_processing', 'users_processing')
    AND (lease_until IS NULL OR lease_until < {now})
    AND (not_before IS NULL OR not_before <= {now})
    AND (
        rung_at IS NULL OR rung_at < :everything_before
        OR rung_at < lease_until OR rung_at < not_before
        OR (
            {now} - updated_at > :again AND {now} - rung_at > :again
            AND {now} - rung_at > CASE WHEN rung_at - updated_at < :latest THEN rung_at - updated_at ELSE :latest END
        )
    )
RETURNING *
"""


def ring_due(db: Database, ring: Ring, *, everything_before: float = 0.0) -> int:
    """Ring for every repository that is due; give how many there were.

    Args:
        db: the truth.
        ring: the bell.
        everything_before: ring even for what was rung lately, if before this moment (seconds since the epoch): for a
            queue that starts empty with its process.

    Raises:
        StorageError: the database did not answer.
    """
    with db.write() as session:
        rows = session.all(_DUE, again=AGAIN, latest=LATEST, everything_before=everything_before)
    for row in rows:
        _ring(db, ring, row, delay=0)
    return len(rows)


def ring_next(db: Database, ring: Ring, repository_id: int) -> None:
    """Ring for whatever a repository needs next, now that a job of it has ended."""
    with db.read() as session:
        row = session.one(
            """SELECT repository.*, not_before - {now} AS delay FROM repository
            WHERE id = :id AND (lease_until IS NULL OR lease_until < {now})""",
            id=repository_id,
        )
    if row is not None:
        _ring(db, ring, row, delay=max(0.0, row["delay"] or 0.0))


def _ring(db: Database, ring: Ring, row: Row, delay: float) -> None:
    if row["state"] in ("pending", "commits_processing"):
        ring.commits(row["id"], delay=delay)
    elif row["state"] == "users_processing":
        with db.read() as session:
            numbers = batches.unclaimed(session, row["id"])
        for number in numbers:
            ring.users(row["id"], row["generation"], number, delay=delay)


class Reconciler:
    """A thread that calls :func:`ring_due` every ``seconds`` until it is stopped."""

    def __init__(self, db: Database, ring: Ring, seconds: float, *, queue_starts_empty: bool) -> None:
        self._db = db
        self._ring = ring
        self._seconds = seconds
        self._started = time.time() if queue_starts_empty else 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reconciler", daemon=True)

    def start(self) -> None:
        """Begin, with a first turn at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the turn in hand."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                ring_due(self._db, self._ring, everything_before=self._started)
            except StorageError as error:
                log.warning("the reconciler could not reach the database: %s", error)
            self._stop.wait(self._seconds)
