"""Rows of branches and tags at an address. Each makes way for another of its repository when there are too many."""

from __future__ import annotations

from collections.abc import Sequence

from podium.repositories.model import Repository
from podium.repositories.store.deletion import hidden_counts
from podium.repositories.store.queries import NOT_HELD, SELECT, one
from podium.repositories.store.queue.host_outages import HAS_BOARD
from podium.storage.session import Session

# Sums that one step deletes.
_ROWS = 2000
_DELETE_SUMS = """
DELETE FROM repository_contributor WHERE repository_id = :id AND contributor_id IN (
    SELECT contributor_id FROM repository_contributor WHERE repository_id = :id LIMIT :rows
)
"""

_REPLACED = "coalesce(error_code, '') = 'replaced'"


def number_of(session: Session, parent_key: str) -> int:
    number: int = session.value(
        f"SELECT count(*) FROM repository WHERE parent_key = :key AND NOT {_REPLACED}", key=parent_key
    )
    return number


def replaced(session: Session, parent_key: str) -> list[Repository]:
    """Rows whose board :func:`take_board` took, and which were not deleted yet."""
    rows = session.all(f"{SELECT} FROM repository WHERE parent_key = :key AND {_REPLACED}", key=parent_key)
    return [Repository.from_row(row) for row in rows]


def least_recently_read(session: Session, parent_key: str) -> Repository | None:
    """The first one to make way, locked; None if all are being counted, or have people that are looked up.

    Before any board, that is a row without one: a name that the host does not have costs no one a board but the first.
    """
    return one(
        session,
        f"""{SELECT} FROM repository WHERE parent_key = :key AND state IN ('completed', 'failed')
            AND NOT {_REPLACED} AND {NOT_HELD}
        ORDER BY ({HAS_BOARD}), coalesce(last_read_at, last_processed_at, created_at), id LIMIT 1 {{for_update}}""",
        key=parent_key,
    )


def take_board(session: Session, repository: Repository, *, reason: str) -> None:
    """Leave a failed row without a board, and hide its rows, so that they can be removed in steps."""
    session.run(
        """UPDATE repository SET state = 'failed', error = :reason, error_code = 'replaced', head = NULL,
            commits_processed_at = NULL, count_id = lease_token + 1, lease_token = lease_token + 1, updated_at = {now}
        WHERE id = :id""",
        id=repository.id,
        reason=reason,
    )
    hidden_counts.hide(session, repository.id, repository.count_id)


def remove_some(session: Session, repository_id: int) -> bool:
    """Delete some of what :func:`take_board` left, and the row in the end; return whether there may be more.

    A row that was submitted again stays.
    """
    # Locked: rows that a new count of it writes are hidden, too.
    row = one(session, f"{SELECT} FROM repository WHERE id = :id AND {_REPLACED} {{for_update}}", id=repository_id)
    if row is None:
        return False
    if hidden_counts.remove_some_of(session, repository_id):
        return True
    if session.run(_DELETE_SUMS, id=repository_id, rows=_ROWS) == _ROWS:
        return True
    session.run("DELETE FROM repository WHERE id = :id", id=repository_id)
    return False


def note_reads(session: Session, repository_ids: Sequence[int], *, every: float) -> None:
    """Note that boards are read now, unless that was noted less than ``every`` seconds ago.

    The ids are sorted, so that two processes do not wait for each other.
    """
    session.executemany(
        "UPDATE repository SET last_read_at = {now} WHERE id = :id AND coalesce(last_read_at, 0) < {now} - :every",
        [{"id": number, "every": every} for number in repository_ids],
    )
