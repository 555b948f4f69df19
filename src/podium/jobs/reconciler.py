"""The reconciler enqueues what is due according to the database.

A lost message and a killed worker look the same there: an unfinished repository, not held and not enqueued recently.
"""

from __future__ import annotations

import functools
import logging
import math
import threading
import time

from podium.jobs import batches
from podium.jobs.messages.queues import COMMITS, USERS, Backlog, Queues, SharedBacklog
from podium.jobs.periodic import Periodic
from podium.jobs.worker_fault_rules import settle_impossible
from podium.repositories.model import COUNTING_VERSION, Repository, State
from podium.repositories.store import transitions
from podium.repositories.store.deletion import hidden_counts, removal
from podium.repositories.store.queue import due_work, host_limits, host_outages, siblings
from podium.repositories.store.queue.due_work import next_virtual_start
from podium.storage.session import Database, Session
from podium.storage.transactions.steps import run_steps
from podium.telemetry.outage_log import OutageLog

log = logging.getLogger(__name__)

# While its queue is empty, an unfinished repository without a holder and without any change for these seconds has lost
# its message.
LOST = 10.0
# Batches of one repository in the queue at a time; see :mod:`podium.jobs`.
AT_ONCE = 8
# Repositories that one pass enqueues of each kind. Any message makes a worker take the next repository of the queue.
_AT_A_TIME = 500
# Seconds until a repository that an older version counted is tried again after a failure.
_OUTDATED_AGAIN = 86_400.0
# Seconds between two looks for rare work: rows that a dead worker left, boards of an older version.
_SELDOM = 30.0
# Steps of removing abandoned rows in one pass.
_STEPS_AT_A_TIME = 10


def enqueue_due(
    db: Database, queues: Queues, *, commits_quiet: float | None = None, users_quiet: float | None = None
) -> int:
    """Enqueue some of the due repositories; return how many.

    Args:
        commits_quiet, users_quiet: see :func:`podium.repositories.store.queue.due_work.take_due`.

    Raises:
        StorageError: the database did not answer.
    """
    with db.write() as session:
        due = due_work.take_due(session, limit=_AT_A_TIME, commits_quiet=commits_quiet, users_quiet=users_quiet)
    for repository in due:
        _enqueue(db, queues, repository, delay=0)
    return len(due)


def enqueue_next(db: Database, queues: Queues, repository_id: int) -> State | None:
    """Enqueue a repository's next step; return its state, None if it does not exist."""
    with db.read() as session:
        due = due_work.due(session, repository_id)
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


def enqueue_followers(db: Database, queues: Queues, counted: Repository, *, per_host: int = 0) -> None:
    """Enqueue what could not be counted beside a repository: another revision of it, and another one of its host.

    No other message wakes a worker for them. per_host: see :mod:`podium.repositories.store.queue.host_limits`.
    """
    with db.read() as session:
        found = {siblings.next_sibling(session, counted.id), host_limits.next_of_host(session, counted.host, per_host)}
    for number in sorted(number for number in found if number is not None):
        queues.enqueue_commits(number)


def enqueue_following_batch(db: Database, queues: Queues, repository_id: int, generation: int, batch: int) -> None:
    with db.read() as session:
        following = due_work.following_batch(session, repository_id, generation, batch, at_once=AT_ONCE)
    if following is not None:
        queues.enqueue_users(repository_id, generation, following)


def reconciler(db: Database, queues: Queues, backlog: SharedBacklog, seconds: float) -> Periodic:
    return Periodic(
        "reconciler",
        seconds,
        LeadingReconciler(db, queues, backlog, seconds),
        at_once=True,
        outage_log=OutageLog(log, "the reconciler waits", "the reconciler continues"),
    )


def lead_seconds(every: float) -> float:
    """How long a process leads if it looks every ``every`` seconds."""
    return 3 * every + 1


class LeadingReconciler:
    """Reconciles while this process leads. Of all processes with the same queues one leads; if it ends, another does.

    A call enqueues what is due, or everything unfinished if the queue has lost its messages. Now and then it removes
    abandoned rows. If nothing waits to be counted, one repository that an older version counted is counted again.

    Calls raise StorageError or QueueError if the database or the queue did not answer.
    """

    def __init__(self, db: Database, queues: Queues, backlog: SharedBacklog, seconds: float) -> None:
        self._db = db
        self._queues = queues
        self._backlog = backlog
        self._lead_seconds = lead_seconds(seconds)
        self._seldom_at = self._recounts_until = -math.inf

    def __call__(self) -> None:
        if not self._backlog.leads("reconciler", self._lead_seconds):
            return
        is_any_unfinished = try_hosts_again(self._db, self._queues)
        _enqueue_all(self._db, self._queues, self._backlog, is_any_unfinished=is_any_unfinished)
        now = time.monotonic()
        is_seldom = now >= self._seldom_at
        if is_seldom:
            self._seldom_at = now + _SELDOM
            settle_impossible(self._db)
            remove_abandoned(self._db)
            remove_forgotten(self._db)
        if is_seldom or now < self._recounts_until:
            found = recount_outdated(self._db, self._queues)
            if found is not None:
                # The next one follows as soon as this one is counted.
                self._recounts_until = now + 2 * _SELDOM


def try_hosts_again(db: Database, queues: Queues) -> bool:
    """Try a repository of each host that is down, and the refreshes of boards that failed, if they are due.

    Returns:
        Whether any repository is unfinished: an idle server asks no more than this.
    """
    with db.read() as session:
        is_any_due, is_any_unfinished = host_outages.look(session)
    if not is_any_due:
        return is_any_unfinished
    with db.write() as session:
        found = [*host_outages.begin_probes(session), *host_outages.restart_due(session, limit=_AT_A_TIME)]
    for repository_id in found:
        queues.enqueue_commits(repository_id)
    return is_any_unfinished or bool(found)


def recount_outdated(db: Database, queues: Queues) -> int | None:
    """Enqueue one repository that an older version counted, if no other waits; return its id."""
    with db.read() as session:
        if not transitions.is_any_outdated(session, version=COUNTING_VERSION, again=_OUTDATED_AGAIN):
            return None
    with db.write() as session:
        # It lets one transaction at a time through, so that two processes do not start two.
        virtual_start = next_virtual_start(session, None)
        found = transitions.restart_outdated(
            session, version=COUNTING_VERSION, again=_OUTDATED_AGAIN, virtual_start=virtual_start
        )
    if found is not None:
        log.info("repository %d was counted by an older version and is counted again", found)
        queues.enqueue_commits(found)
    return found


def remove_abandoned(db: Database) -> None:
    """Remove some of the rows of counts that a dead or late worker has left."""
    with db.read() as session:
        if not hidden_counts.is_any_abandoned(session):
            return
    run_steps(db.write, [hidden_counts.remove_some_abandoned] * _STEPS_AT_A_TIME, threading.Event())


def remove_forgotten(db: Database) -> None:
    """Remove some of the rows of forgotten repositories whose removal was interrupted."""
    with db.read() as session:
        numbers = removal.marked(session, limit=_STEPS_AT_A_TIME)
    for number in numbers:
        run_steps(
            db.write, [functools.partial(_remove_some, number)] * (_STEPS_AT_A_TIME // len(numbers)), threading.Event()
        )


def _remove_some(repository_id: int, session: Session) -> None:
    removal.remove_some(session, repository_id)


def _enqueue_all(db: Database, queues: Queues, backlog: Backlog, *, is_any_unfinished: bool) -> None:
    if backlog.is_fresh():
        if is_any_unfinished:
            enqueue_due(db, queues, commits_quiet=0.0, users_quiet=0.0)
        # If this process dies before this line, the next one does the same.
        backlog.note_filled()
        return
    if not is_any_unfinished:
        return
    # What did not fit into one pass is found as lost once the queue is empty.
    enqueue_due(
        db,
        queues,
        commits_quiet=None if backlog.waiting(COMMITS) else LOST,
        users_quiet=None if backlog.waiting(USERS) else LOST,
    )
