"""The reconciler: asks the database what is due and rings for it.

A crash between saving and ringing, a queue that lost its messages, a worker that was killed, a delay that never came
back: to the database they are all one case, a repository that is unfinished, not held, and not rung lately.
"""

from __future__ import annotations

import functools
import logging

from podium.jobs import batches
from podium.jobs.lease import FREE
from podium.jobs.periodic import Periodic
from podium.jobs.queues import COMMITS, USERS, Backlog, Queues
from podium.storage.session import Database, Row
from podium.telemetry.outage_log import OutageLog

log = logging.getLogger(__name__)

# Enqueue again for what was rung this many seconds ago; while others wait in the queue each time twice as late, at most
# LATEST, so that a repository which waits behind them for an hour does not fill the queue with copies of one message.
AGAIN = 30.0
LATEST = 3600.0
# While nobody waits for a worker, whatever is unfinished and not in hand has lost its message.
LOST = 10.0
# Batches of one repository that lie in the queue at a time, each followed by another when it is done: the one batch of
# a small repository waits for a few of a giant's, not for all of them.
AT_ONCE = 8
# Repositories that one turn takes from the database at a time.
_AT_A_TIME = 500

# A row that somebody has locked is in hand.
_DUE = f"""
UPDATE repository SET enqueued_at = {{now}} WHERE id IN (
    SELECT id FROM repository
    WHERE host <> '' AND state IN ('pending', 'commits_processing', 'users_processing')
        AND {FREE}
        AND (not_before IS NULL OR not_before <= {{now}})
        AND (
            enqueued_at IS NULL OR enqueued_at <= :everything_before
            OR enqueued_at < lease_until OR enqueued_at < not_before
            OR (
                {{now}} - updated_at > :again AND {{now}} - enqueued_at > :again
                AND {{now}} - enqueued_at >
                    CASE WHEN enqueued_at - updated_at < :latest THEN enqueued_at - updated_at ELSE :latest END
            )
        )
    ORDER BY virtual_start, id LIMIT :at_a_time {{skip_locked}}
)
RETURNING *
"""


_FOLLOWING = """
SELECT MIN(batch) FROM commit_data
WHERE repository_id = :id AND NOT processed AND batch > :batch AND (batch - :batch) % :at_once = 0
    AND (claim_until IS NULL OR claim_until < {now})
    AND EXISTS (
        SELECT 1 FROM repository WHERE id = :id AND generation = :generation AND state = 'users_processing'
            AND (not_before IS NULL OR not_before <= {now})
    )
"""


def enqueue_due(
    db: Database, queues: Queues, *, everything_before: float = 0.0, again: float = AGAIN, latest: float = LATEST
) -> int:
    """Enqueue every repository that is due; give how many there were.

    Args:
        db: the truth.
        ring: the bell.
        everything_before: ring even for what was rung lately, if not after this moment (seconds since the epoch, by the
            database's clock): for a queue that is empty.
        again, latest: seconds after which to ring again for what still waits, at first and at the latest.

    Raises:
        StorageError: the database did not answer.
    """
    rung = 0
    while True:
        with db.write() as session:
            rows = session.all(
                _DUE, again=again, latest=latest, everything_before=everything_before, at_a_time=_AT_A_TIME
            )
        for row in sorted(rows, key=lambda row: (float(row["virtual_start"]), int(row["id"]))):
            _enqueue(db, queues, row, delay=0)
        rung += len(rows)
        if len(rows) < _AT_A_TIME:
            return rung


def enqueue_next(db: Database, queues: Queues, repository_id: int) -> str | None:
    """Enqueue whatever a repository needs next, now that a job of it has ended; give its state, if it is there."""
    with db.read() as session:
        row = session.one(
            """SELECT repository.*, not_before - {now} AS delay,
                CASE WHEN lease_until IS NULL OR lease_until < {now} THEN 0 ELSE 1 END AS is_held
            FROM repository WHERE id = :id""",
            id=repository_id,
        )
    if row is None:
        return None
    if not row["is_held"]:
        _enqueue(db, queues, row, delay=max(0.0, row["delay"] or 0.0))
    return str(row["state"])


def _enqueue(db: Database, queues: Queues, row: Row, delay: float) -> None:
    if row["state"] in ("pending", "commits_processing"):
        queues.enqueue_commits(row["id"], delay=delay)
    elif row["state"] == "users_processing":
        with db.read() as session:
            numbers = batches.unclaimed(session, row["id"])
        for number in numbers[:AT_ONCE]:
            queues.enqueue_users(row["id"], row["generation"], number, delay=delay)


def enqueue_following_batch(db: Database, queues: Queues, repository_id: int, generation: int, batch: int) -> None:
    """Enqueue the batch that takes the place of ``batch``, now that that is done."""
    with db.read() as session:
        following = session.value(_FOLLOWING, id=repository_id, generation=generation, batch=batch, at_once=AT_ONCE)
    if following is not None:
        queues.enqueue_users(repository_id, generation, following)


def reconciler(db: Database, queues: Queues, backlog: Backlog, seconds: float) -> Periodic:
    """A thread that calls :func:`reconcile` at once and then every ``seconds``."""
    return Periodic(
        "reconciler",
        seconds,
        functools.partial(reconcile, db, queues, backlog),
        at_once=True,
        outage_log=OutageLog(log, "the reconciler waits", "the reconciler goes on"),
    )


def reconcile(db: Database, queues: Queues, backlog: Backlog) -> None:
    """Enqueue what is due, and for everything where the queue has lost what was rung before.

    Raises:
        StorageError: the database did not answer.
        QueueError: the queue did not: it would not hear the bell either.
    """
    if backlog.is_fresh():
        with db.read() as session:
            now = session.value("SELECT {now}")
        enqueue_due(db, queues, everything_before=now)
        # Afterwards: who dies in between leaves it to the next.
        backlog.note_filled()
        return
    if backlog.waiting(COMMITS, USERS):
        enqueue_due(db, queues)
    else:
        enqueue_due(db, queues, again=LOST, latest=LOST)
