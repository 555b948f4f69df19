"""The reconciler: asks the database what is due and rings for it.

A crash between saving and ringing, a queue that lost its messages, a worker that was killed, a delay that never came
back: to the database they are all one case, a repository that is unfinished, not held, and not rung lately.
"""

from __future__ import annotations

import functools
import logging

from podium.jobs import batches
from podium.jobs.periodic import Periodic
from podium.jobs.queues import COMMITS, USERS, Backlog, Queues
from podium.repositories.model import Repository, State
from podium.repositories.store import schedule
from podium.storage.session import Database
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
    enqueued = 0
    while True:
        with db.write() as session:
            due = schedule.take_due(
                session, everything_before=everything_before, again=again, latest=latest, limit=_AT_A_TIME
            )
        for repository in due:
            _enqueue(db, queues, repository, delay=0)
        enqueued += len(due)
        if len(due) < _AT_A_TIME:
            return enqueued


def enqueue_next(db: Database, queues: Queues, repository_id: int) -> State | None:
    """Enqueue what a repository needs next, after a job of it has ended; give its state, None where it is gone."""
    with db.read() as session:
        due = schedule.due(session, repository_id)
    if due is None:
        return None
    if not due.is_held:
        _enqueue(db, queues, due.repository, delay=max(0.0, due.delay))
    return due.repository.state


def _enqueue(db: Database, queues: Queues, repository: Repository, delay: float) -> None:
    match repository.state.stage:
        case "commits":
            queues.enqueue_commits(repository.id, delay=delay)
        case "users":
            with db.read() as session:
                numbers = batches.unclaimed(session, repository.id)
            for number in numbers[:AT_ONCE]:
                queues.enqueue_users(repository.id, repository.generation, number, delay=delay)


def enqueue_following_batch(db: Database, queues: Queues, repository_id: int, generation: int, batch: int) -> None:
    """Enqueue the batch that takes the place of ``batch``, which is done."""
    with db.read() as session:
        following = schedule.following_batch(session, repository_id, generation, batch, at_once=AT_ONCE)
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
