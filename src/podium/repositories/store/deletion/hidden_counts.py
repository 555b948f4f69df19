"""Rows of counts that no reader sees: being written, abandoned or replaced.

The table ``hidden_count`` names them, so that they are found and removed in bounded steps.
"""

from __future__ import annotations

from podium.errors import LeaseLost
from podium.storage.commit_log import segments
from podium.storage.session import Session

# Rows that one step deletes.
_PEOPLE = 2000

_DELETE_PEOPLE = """
DELETE FROM commit_data WHERE id IN (
    SELECT id FROM commit_data WHERE repository_id = :id AND count_id = :count ORDER BY email, name LIMIT :people
)
"""

# Seconds for which the rows of a holder stay whose lease has expired, and whom no other one has followed.
_LATEST = 7 * 86_400.0

# Rows of a live holder are being written. A late one, such as after the database was away, goes on where no other one
# has taken the repository over, and would make a count valid that lacks what was removed.
_ABANDONED = f"""
SELECT h.repository_id, h.count_id FROM hidden_count h JOIN repository r ON r.id = h.repository_id
WHERE NOT (r.lease_token = h.count_id AND r.lease_holder IS NOT NULL AND r.lease_until >= {{now}} - {_LATEST})
ORDER BY h.repository_id, h.count_id LIMIT 1
"""


def hide(session: Session, repository_id: int, count_id: int) -> bool:
    """Note a count whose rows are hidden; return False if it was noted before, and may have rows.

    Raises:
        LeaseLost: it is the valid count.
    """
    if session.value("SELECT count_id FROM repository WHERE id = :id", id=repository_id) == count_id:
        raise LeaseLost("This lease has already saved a count.")
    return bool(
        session.run(
            "INSERT INTO hidden_count (repository_id, count_id) VALUES (:id, :count) ON CONFLICT DO NOTHING",
            id=repository_id,
            count=count_id,
        )
    )


def replace(session: Session, repository_id: int, *, old: int, new: int) -> None:
    """Note that ``new`` is the valid count instead of ``old``."""
    _forget(session, repository_id, new)
    session.run("INSERT INTO hidden_count (repository_id, count_id) VALUES (:id, :count)", id=repository_id, count=old)


def remove_some(session: Session, repository_id: int, count_id: int) -> bool:
    """Remove some of the rows of a hidden count; return whether there may be more."""
    if segments.delete_some(session, repository_id, count_id):
        return True
    if session.run(_DELETE_PEOPLE, id=repository_id, count=count_id, people=_PEOPLE) == _PEOPLE:
        return True
    _forget(session, repository_id, count_id)
    return False


def remove_some_of(session: Session, repository_id: int) -> bool:
    """Remove some rows of any hidden count of a repository that no worker holds; return whether there may be more."""
    count_id = session.value("SELECT min(count_id) FROM hidden_count WHERE repository_id = :id", id=repository_id)
    if count_id is None:
        return False
    remove_some(session, repository_id, count_id)
    return True


def remove_some_abandoned(session: Session) -> bool:
    """Remove some rows of an abandoned or replaced count; return False if there is none."""
    found = session.one(f"{_ABANDONED} {{skip_locked}}")
    if found is None:
        return False
    remove_some(session, found["repository_id"], found["count_id"])
    return True


def is_any_abandoned(session: Session) -> bool:
    return session.one(_ABANDONED) is not None


def _forget(session: Session, repository_id: int, count_id: int) -> None:
    session.run(
        "DELETE FROM hidden_count WHERE repository_id = :id AND count_id = :count", id=repository_id, count=count_id
    )
