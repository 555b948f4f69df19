"""Submitting, retrying and refreshing: save first, then ring the queue.

The order matters: a crash between the two leaves a row that the reconciler finds, never a message about nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from podium.errors import Conflict, NotFound
from podium.jobs import batches
from podium.jobs.queues import Queues
from podium.jobs.reconciler import enqueue_next
from podium.repositories import fair_queue
from podium.repositories.address import Address
from podium.repositories.listing import find
from podium.storage.session import Database, Row, Session

_INSERT = """
INSERT INTO repository
    (key, url, host, owner, name, state, virtual_start, client_id, enqueued_at, created_at, updated_at)
VALUES (:key, :url, :host, :owner, :name, 'pending', :virtual_start, :client_id, {now}, {now}, {now})
ON CONFLICT DO NOTHING
"""

# Two addresses may mean one repository (with and without `.git`): the one that failed makes way for the next.
_CORRECT = """
UPDATE repository SET url = :url
WHERE key = :key AND state = 'failed' AND url <> :url AND NOT EXISTS (SELECT 1 FROM repository WHERE url = :url)
"""

# Back to the first state; what an earlier run counted stays, and stays readable.
_START_OVER = """
UPDATE repository SET state = 'pending', error = NULL, error_code = NULL, crashes = 0, attempts = 0,
    progress = NULL, not_before = NULL, virtual_start = :virtual_start, client_id = :client_id,
    enqueued_at = {now}, updated_at = {now}
WHERE id = :id
"""

# Marks what must be asked of a repository; how many rows that were.
MarkStale = Callable[[Session, int], int]


@dataclasses.dataclass(frozen=True, slots=True)
class Submission:
    """What a submission found: the repository as it now stands, and what was set in motion."""

    repository: Row
    is_new: bool
    refreshing: bool


def submit(
    db: Database, queues: Queues, address: Address, *, refresh_after: float, client_id: str | None = None
) -> Submission:
    """Save a repository that is new, or refresh one whose board is older than ``refresh_after`` seconds.

    Args:
        client_id: whoever it is that submits, as :class:`podium.repositories.fair_queue.ClientIds` names them.

    Raises:
        StorageError: the database cannot be written.
    """
    with db.write() as session:
        place = {"virtual_start": fair_queue.next_virtual_start(session, client_id), "client_id": client_id}
        is_new = bool(session.run(_INSERT, **_identity(address), **place))
        session.run(_CORRECT, key=address.key, url=address.url)
        row = _known(session, address)
        stale = row["state"] == "completed" and session.value(
            """SELECT last_processed_at < {now} - :age FROM repository
            WHERE id = :id AND state = 'completed' {for_update}""",
            age=refresh_after,
            id=row["id"],
        )
        if stale:
            session.run(_START_OVER, id=row["id"], **place)
    if is_new or stale:
        queues.enqueue_commits(row["id"])
    return Submission(row, is_new, bool(stale))


def start_over(db: Database, repository_id: int) -> None:
    """Have a repository counted from its first state on, unless it is waiting for that or being counted already.

    For the command line, which ranks what is there now, however recent or failed the last count.
    """
    with db.write() as session:
        row = batches.lock(session, repository_id)
        if row is not None and row["state"] in ("completed", "failed", "users_processing"):
            session.run(
                _START_OVER,
                id=repository_id,
                virtual_start=fair_queue.next_virtual_start(session, None),
                client_id=None,
            )


def _identity(address: Address) -> dict[str, str]:
    return {
        "key": address.key,
        "url": address.url,
        "host": address.host,
        "owner": address.owner,
        "name": address.name,
    }


def _known(session: Session, address: Address) -> Row:
    # One URL can have two keys only after a change of settings (another GitHub); the older row is the one meant.
    row = find(session, address.key) or session.one("SELECT * FROM repository WHERE url = :url", url=address.url)
    if row is None:
        raise NotFound(f"{address.url} was deleted meanwhile: submit it again.")
    return row


def retry(db: Database, queues: Queues, key: str) -> Row:
    """Set a failed repository in motion again.

    Raises:
        NotFound: it was never submitted.
        Conflict: it has not failed.
    """
    with db.write() as session:
        row = batches.lock(session, _find_or_refuse(session, key)["id"]) or _find_or_refuse(session, key)
        if row["state"] != "failed":
            raise Conflict(f"{row['url']} has not failed (it is {row['state']}): there is nothing to retry.")
        session.run(
            _START_OVER, id=row["id"], virtual_start=fair_queue.next_virtual_start(session, None), client_id=None
        )
        row = _find_or_refuse(session, key)
    queues.enqueue_commits(row["id"])
    return row


def _find_or_refuse(session: Session, key: str) -> Row:
    row = find(session, key)
    if row is None:
        raise NotFound("This repository was never submitted: POST /leaderboard?repoUrl=… submits it.")
    return row


_RESOLVE_AGAIN = """
UPDATE repository SET state = 'users_processing', generation = generation + 1, crashes = 0, attempts = 0,
    progress = NULL, not_before = NULL, enqueued_at = {now}, updated_at = {now}
WHERE id = :id
"""


def refresh(db: Database, queues: Queues, key: str | None, mark_stale: MarkStale) -> int:
    """Resolve again what stayed unresolved or has grown old: of one repository, or (``key`` None) of all completed.

    Returns:
        How many repositories were set in motion; one that is being worked on already is left to it.

    Raises:
        NotFound: it was never submitted.
        Conflict: it has failed, and must be retried instead.
    """
    with db.read() as session:
        if key is None:
            rows = session.all("SELECT id FROM repository WHERE state = 'completed' AND host <> ''")
        else:
            row = _find_or_refuse(session, key)
            if row["state"] == "failed":
                raise Conflict(f"{row['url']} has failed: POST /repositories/retry?repoUrl=… counts it again.")
            rows = [row]
    return sum(resolve_again(db, queues, row["id"], mark_stale) for row in rows)


def resolve_again(db: Database, queues: Queues, repository_id: int, mark_stale: MarkStale) -> bool:
    """Give what must be asked of one completed repository to the user queue; whether there was anything."""
    with db.write() as session:
        row = batches.lock(session, repository_id)
        if row is None or row["state"] != "completed":
            return False
        if not mark_stale(session, repository_id):
            return False
        session.run(_RESOLVE_AGAIN, id=repository_id)
        batches.assign(session, repository_id)
    enqueue_next(db, queues, repository_id)
    return True
