"""Look up unresolved and stale accounts again."""

from __future__ import annotations

from collections.abc import Callable

from podium.audit import audit_log
from podium.errors import Conflict
from podium.jobs import batches
from podium.jobs.messages.queues import Queues
from podium.jobs.reconciler import enqueue_next
from podium.repositories.listing import find
from podium.repositories.model import State
from podium.repositories.store import queries, transitions
from podium.storage.session import Database, Session

# The rows of a repository's count whose e-mails must be looked up again.
StaleRows = Callable[[Session, int, int], list[int]]


def refresh(db: Database, queues: Queues, key: str | None, stale_rows: StaleRows, *, actor: str) -> int:
    """Look up stale accounts of one repository, or (``key`` None) of all completed ones.

    Returns:
        How many repositories were enqueued, without unfinished ones.

    Raises:
        NotFound: it was never submitted.
        Conflict: it has failed, and must be retried.
    """
    with db.write() as session:
        if key is None:
            ids = queries.completed_ids(session)
            audit_log.record(session, actor, "refresh", f"all boards: {len(ids)}")
        else:
            repository = find(session, key)
            if repository.state == State.FAILED:
                raise Conflict(f"{repository.url} has failed: POST /repositories/retry?repoUrl=… counts it again.")
            ids = [repository.id]
            audit_log.record(session, actor, "refresh", repository.url)
    return sum(bool(resolve_again(db, queues, repository_id, stale_rows)) for repository_id in ids)


def resolve_again(db: Database, queues: Queues, repository_id: int, stale_rows: StaleRows) -> int:
    """Enqueue the stale e-mails of a completed repository; return the number of rows."""
    # Read before, because it takes long on a large board.
    with db.read() as session:
        read = queries.by_id(session, repository_id)
        stale = stale_rows(session, repository_id, read.count_id) if read else []
    if read is None or not stale:
        return 0
    with db.write() as session:
        repository = queries.lock(session, repository_id)
        if repository is None or repository.state != State.COMPLETED or repository.count_id != read.count_id:
            return 0
        batches.reopen(session, stale)
        transitions.resolve_again(session, repository_id)
        batches.assign(session, repository_id, repository.count_id)
    enqueue_next(db, queues, repository_id)
    return len(stale)
