"""Retry or drop repositories, for operators.

Both only change rows; the reconciler enqueues what is due. So they work in processes that cannot reach the broker.
"""

from __future__ import annotations

from collections.abc import Collection

from podium.audit import audit_log
from podium.blocks import block_list
from podium.errors import Conflict
from podium.jobs import batches
from podium.jobs.messages.queues import Queues
from podium.repositories.listing import find, no_such_id
from podium.repositories.model import Repository, State
from podium.repositories.store import queries, transitions
from podium.repositories.store.freshness import names
from podium.repositories.store.queue import host_outages, pauses
from podium.repositories.store.queue.due_work import next_virtual_start
from podium.storage.session import Database, Session
from podium.submissions.capacity import Capacity
from podium.submissions.submit import waits_for_host

# Its own client: a thousand retried repositories delay those of other clients only once.
_OPERATOR = "operator"

DROPPED = "An operator took this repository out of the queue. Retry it to continue."


def retry(db: Database, ids: Collection[int], *, actor: str) -> list[int]:
    """Retry repositories: failed ones from their first state on, waiting ones and refreshes that failed at once.

    No ``ids``: every failed one, and every one that waits for a host. Of a host that is down, one is tried.

    Returns:
        The ids of those that are due now.

    Raises:
        NotFound, Conflict: one does not exist, or is completed; nothing was changed.
    """
    with db.write() as session:
        start = next_virtual_start(session, _OPERATOR)
        if not ids:
            found = transitions.retry_all(session, virtual_start=start, client_id=_OPERATOR)
            host_outages.try_all_now(session)
            pauses.park_paused_hosts(session)
            audit_log.record(session, actor, "retry", f"all that failed: {len(found)}")
            return found
        numbers = sorted(set(ids))
        for place, number in enumerate(numbers):
            repository = _lock(session, number)
            if repository.state == State.COMPLETED and repository.not_before is None:
                raise Conflict(
                    f"Repository {number} is completed: there is nothing to try again. Submit it to refresh."
                )
            _retry(session, repository, start + place, _OPERATOR)
            audit_log.record(session, actor, "retry", repository.url)
    return numbers


def retry_code(db: Database, code: str, *, actor: str) -> list[int]:
    """Retry every repository that failed with this error code; return their ids."""
    with db.write() as session:
        start = next_virtual_start(session, _OPERATOR)
        found = transitions.retry_all(session, virtual_start=start, client_id=_OPERATOR, error_code=code)
        pauses.park_paused_hosts(session)
        audit_log.record(session, actor, "retry", f"all that failed as {code or 'unknown'}: {len(found)}")
    return found


def retry_one(
    db: Database, queues: Queues, key: str, *, client_id: str, capacity: Capacity | None = None
) -> Repository:
    """Retry and enqueue the repository with this identity that failed or waits for a retry, at the turn of a client.

    Raises:
        QueueFull: too much waits.
        NotFound: it was never submitted.
        Blocked: the operator has blocked it.
        Conflict: it has not failed, and waits for no retry; or another repository has its name.
    """
    with db.write() as session:
        repository = _lock(session, find(session, key).id)
        block_list.check_key(session, repository.repository_key)
        if repository.name_taken_at is not None:
            raise Conflict(names.WHY_TAKEN)
        if repository.state != State.FAILED and repository.waiting_code is None:
            raise Conflict(f"{repository.url} has not failed (it is {repository.state}): there is nothing to retry.")
        _retry(session, repository, next_virtual_start(session, client_id), client_id, enqueued=True)
        if capacity is not None:
            capacity.check(session)
        repository = find(session, key)
    if repository.waiting_code is None:
        queues.enqueue_commits(repository.id)
    return repository


def drop(db: Database, repository_id: int, *, actor: str) -> Repository:
    """Fail an unfinished repository with a reason; return it as it was.

    A worker that holds it can no longer save. An earlier board stays readable.

    Raises:
        NotFound: the id does not exist.
        Conflict: it is in no queue.
    """
    with db.write() as session:
        repository = _lock(session, repository_id)
        if not transitions.drop(session, repository.id, reason=DROPPED):
            raise Conflict(f"Repository {repository_id} is {repository.state}: it is in no queue.")
        batches.release_all(session, repository.id)
        audit_log.record(session, actor, "drop", repository.url)
    return repository


def retry_message(ids: Collection[int], *, works: bool = True) -> str:
    """``works``: whether a worker is alive."""
    if not ids:
        return "No repository has failed: nothing to try again."
    one = len(ids) == 1
    if not works:
        return (
            f"{len(ids)} {'repository is' if one else 'repositories are'} queued: {'it is' if one else 'they are'} "
            "tried when `podium serve` or a worker runs."
        )
    return f"{len(ids)} {'repository is' if one else 'repositories are'} tried again."


def drop_message(repository: Repository) -> str:
    return f"{repository.url} was taken out of the queue. To continue: podium queue retry {repository.id}."


def _retry(
    session: Session, repository: Repository, virtual_start: float, client_id: str, *, enqueued: bool = False
) -> None:
    if repository.state == State.COMPLETED:
        transitions.restart(session, repository.id, repository.state, virtual_start=virtual_start, client_id=client_id)
    else:
        transitions.retry(
            *(session, repository.id, repository.state),
            virtual_start=virtual_start,
            client_id=client_id,
            enqueued=enqueued,
        )
    waits_for_host(session, repository)


def _lock(session: Session, repository_id: int) -> Repository:
    repository = queries.lock(session, repository_id)
    if repository is None or not repository.host:
        raise no_such_id(repository_id)
    return repository
