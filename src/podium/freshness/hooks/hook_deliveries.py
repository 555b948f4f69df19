"""Apply an event of a hook to the database.

A delivery costs one statement if it tells nothing that is new, and a bounded number of them otherwise.
"""

from __future__ import annotations

import enum
import logging

from podium.blocks import block_list
from podium.errors import Blocked, StorageError
from podium.freshness.hooks.hook_events import HookEvent, HookKind
from podium.freshness.hooks.hook_steps import CheckHost, CountLater, CountNow, Nothing, Step, count_step, next_step
from podium.jobs.messages.queues import Queues
from podium.repositories.fair_queue import hook_client
from podium.repositories.model import Repository
from podium.repositories.store import gone, transitions
from podium.repositories.store.freshness import names, pushes
from podium.repositories.store.freshness.pushes import Moment
from podium.repositories.store.queue.due_work import next_virtual_start
from podium.storage.session import Database, Session
from podium.submissions.submit import waits_for_host

log = logging.getLogger(__name__)


class Delivered(enum.Enum):
    """UNKNOWN: the repository is not here. IGNORED: nothing follows. ACCEPTED: something follows, or does already."""

    UNKNOWN = "unknown"
    IGNORED = "ignored"
    ACCEPTED = "accepted"


def deliver(db: Database, queues: Queues, event: HookEvent) -> Delivered:
    """Count the repository of an event, hide it, or let its host be asked (:mod:`podium.freshness.hooks.hook_steps`).

    Raises:
        StorageError: the database cannot be used.
    """
    for is_last in (False, False, True):
        with db.read() as session:
            moment = pushes.find(
                session,
                host=event.address.host,
                number=event.number,
                key=event.address.key,
                former=event.former.key if event.former else None,
            )
        if moment is None:
            break
        step = next_step(event, moment)
        if step == Nothing():
            return Delivered.IGNORED
        try:
            counts = _follow(db, moment.repository, event, may_count=isinstance(step, CountNow))
        except StorageError as error:
            if error.code != "database-conflict" or is_last:
                raise
            continue
        if counts:
            queues.enqueue_commits(moment.repository.id)
        if counts is not None:
            return Delivered.ACCEPTED
        # It was joined to another row meanwhile, which is found now.
    return Delivered.UNKNOWN


def _follow(db: Database, repository: Repository, event: HookEvent, *, may_count: bool) -> bool | None:
    """Return whether a count has begun; None: there is no such row any more."""
    with db.write() as session:
        if may_count:
            names.begin(session)
        if event.kind is HookKind.HIDDEN:
            names.lock_families(session, [repository.repository_key])
        locked = pushes.lock(session, repository.id)
        return None if locked is None else _take(session, locked, next_step(event, locked), may_count=may_count)


def count_if_due(db: Database, queues: Queues, repository_id: int) -> None:
    """Count a repository that a push has made due, if it may be counted now."""
    with db.write() as session:
        names.begin(session)
        locked = pushes.lock(session, repository_id)
        if locked is None or locked.repository.hook_due_at is None or locked.repository.hook_due_at > locked.now:
            return
        step = count_step(locked.without_plan())
        counts = _take(session, locked, step)
        if step == Nothing():
            pushes.forget_plan(session, repository_id)
    if counts:
        queues.enqueue_commits(repository_id)


def _take(session: Session, moment: Moment, step: Step, *, may_count: bool = True) -> bool:
    """Do what follows; return whether a count has begun, which the caller enqueues when the transaction has ended.

    may_count: :func:`names.begin` came before the lock of the row. Otherwise a count is due at once.
    """
    repository = moment.repository
    match step:
        case CountNow() if may_count and not pushes.is_paused(session, repository.id):
            return _count(session, repository)
        case CountNow():
            pushes.plan(session, repository.id, moment.now, check=False)
        case CountLater(at):
            pushes.plan(session, repository.id, at, check=False)
        case CheckHost(at, hides):
            if hides:
                gone.note(session, repository, code="missing", after=0.0)
                log.warning(
                    "repository %d is hidden until its host is asked: a webhook says that it is gone", repository.id
                )
            pushes.plan(session, repository.id, at, check=repository.parent_key is None)
    return False


def _count(session: Session, repository: Repository) -> bool:
    pushes.note_count(session, repository.id)
    try:
        block_list.check_key(session, repository.repository_key)
    except Blocked:
        return False
    client = hook_client(repository.host, repository.owner)
    transitions.restart(
        session,
        repository.id,
        repository.state,
        virtual_start=next_virtual_start(session, client),
        client_id=client,
    )
    return not waits_for_host(session, repository)
