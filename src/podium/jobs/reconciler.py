"""The reconciler: enqueues what the database says is due.

A crash between saving and enqueueing, a queue that lost its messages, a worker that was killed, a delayed message that
never returned: to the database they are all one case, a repository that is unfinished, not held, and not enqueued
recently.
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

# Enqueue a repository again after AGAIN seconds; while the queue is not empty, double the delay each time, up to
# LATEST. So a repository that waits for an hour does not fill the queue with copies of its message.
AGAIN = 30.0
LATEST = 3600.0
# While the queues are empty, an unfinished repository that no worker holds has lost its message.
LOST = 10.0
# Batches of one repository in the queue at a time; each one done is followed by another. So the one batch of a small
# repository waits for a few batches of a giant, not for all of them.
AT_ONCE = 8
# Repositories read from the database at a time.
_AT_A_TIME = 500


def enqueue_due(
    db: Database, queues: Queues, *, everything_before: float = 0.0, again: float = AGAIN, latest: float = LATEST
) -> int:
    """Enqueue every repository that is due; give how many there were.

    Args:
        db: says what is due.
        queues: where to enqueue it.
        everything_before: also enqueue what was enqueued up to this moment (seconds since the epoch, by the database's
            clock), however recently: for a queue that starts empty.
        again, latest: seconds after which to enqueue again what still waits, the first time and at the latest.

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
    """Enqueue what is due; everything unfinished, if the queues have lost their messages.

    Raises:
        StorageError: the database did not answer.
        QueueError: the queue did not.
    """
    if backlog.is_fresh():
        with db.read() as session:
            now = session.value("SELECT {now}")
        enqueue_due(db, queues, everything_before=now)
        # Afterwards: if this process crashes in between, the next one fills the queues.
        backlog.note_filled()
        return
    if backlog.waiting(COMMITS, USERS):
        enqueue_due(db, queues)
    else:
        enqueue_due(db, queues, again=LOST, latest=LOST)
