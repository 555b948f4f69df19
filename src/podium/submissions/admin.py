"""What an operator does to the queues: have failed repositories tried again, take one out.

Both only change rows. What is due then is rung by the reconciler of any worker within its seconds, so that they work
the same from any process, also where the broker cannot be reached from it.
"""

from __future__ import annotations

from collections.abc import Collection

from podium.errors import Conflict, NotFound
from podium.jobs import batches
from podium.repositories import fair_queue
from podium.storage.session import Database, Row, Session

_AGAIN = """
UPDATE repository SET
    state = CASE WHEN state = 'failed' THEN 'pending' ELSE state END,
    progress = CASE WHEN state = 'failed' THEN NULL ELSE progress END,
    error = NULL, error_code = NULL, crashes = 0, attempts = 0, not_before = NULL, enqueued_at = NULL,
    updated_at = {now},
    virtual_start = :virtual_start + place, client_id = :client_id
FROM ({which}) AS again WHERE repository.id = again.number RETURNING repository.id
"""

# Their numbers, and the places in which they stand.
_ONE = "SELECT :id AS number, :place AS place"
_ALL_FAILED = """
SELECT id AS number, ROW_NUMBER() OVER (ORDER BY id) - 1 AS place FROM repository WHERE state = 'failed' AND host <> ''
"""

# A client of its own: a thousand failed ones stand one behind the other, and keep nobody else from their turn.
_OPERATOR = "operator"

# A holder that still works on it must save nothing: it has lost its lease, or its claim.
_DROP = """
UPDATE repository SET state = 'failed', error = :error, error_code = 'dropped', progress = NULL, not_before = NULL,
    lease_holder = NULL, lease_until = NULL, lease_token = lease_token + 1, updated_at = {now}
WHERE id = :id
"""

_UNCLAIM = """
UPDATE commit_data SET claim_token = NULL, claim_until = NULL WHERE repository_id = :id AND NOT processed
"""

DROPPED = "An operator took this repository out of the queue. Retry it to have it done after all."


def try_again(db: Database, ids: Collection[int]) -> list[int]:
    """Have repositories tried again: failed ones from their first state on, waiting ones at once.

    Args:
        db: the truth.
        ids: their numbers; none: every repository that has failed.

    Returns:
        The numbers of those that are due now.

    Raises:
        NotFound: there is none of that number; nothing was changed.
        Conflict: one is completed; nothing was changed.
    """
    with db.write() as session:
        first = {"virtual_start": fair_queue.next_virtual_start(session, _OPERATOR), "client_id": _OPERATOR}
        if not ids:
            return sorted(row["id"] for row in session.all(_AGAIN.replace("{which}", _ALL_FAILED), **first))
        for place, number in enumerate(sorted(set(ids))):
            row = _locked(session, number)
            if row["state"] == "completed":
                raise Conflict(
                    f"Repository {number} is completed: there is nothing to try again. Submit it to refresh."
                )
            session.run(_AGAIN.replace("{which}", _ONE), id=number, place=place, **first)
    return sorted(set(ids))


def drop(db: Database, repository_id: int) -> Row:
    """Take an unfinished repository out of the queue: it fails with a reason that says so.

    Whoever works on it can save nothing any more. A board that it had stays readable.

    Returns:
        The repository as it was.

    Raises:
        NotFound: there is none of that number.
        Conflict: it is in no queue.
    """
    with db.write() as session:
        row = _locked(session, repository_id)
        if row["state"] in ("completed", "failed"):
            raise Conflict(f"Repository {repository_id} is {row['state']}: it is in no queue.")
        session.run(_DROP, id=repository_id, error=DROPPED)
        session.run(_UNCLAIM, id=repository_id)
    return row


def retried(ids: Collection[int]) -> str:
    """Say what :func:`try_again` did."""
    if not ids:
        return "No repository has failed: nothing to try again."
    return f"{len(ids)} {'repository is' if len(ids) == 1 else 'repositories are'} tried again."


def dropped(row: Row) -> str:
    """Say what :func:`drop` did."""
    return f"{row['url']} was taken out of the queue. It is tried again when asked for: podium queue retry {row['id']}."


def _locked(session: Session, repository_id: int) -> Row:
    row = batches.lock(session, repository_id)
    if row is None or not row["host"]:
        raise NotFound(f"No repository has the number {repository_id}: `podium queue` and GET /repositories tell them.")
    return row
