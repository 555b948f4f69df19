"""Which repositories the readers of a server may see. This is the one place that decides it.

A repository is hidden (``hidden_at``) after its host made it private or deleted it. Then every route answers as if it
had never been submitted. What answers readers gets rows from here, or puts these conditions into its statements; a test
keeps it from the look-ups in :mod:`podium.repositories.store.queries`.
"""

from __future__ import annotations

from podium.repositories.model import Repository
from podium.repositories.store.freshness import names
from podium.repositories.store.queries import SELECT, one
from podium.storage.session import Session

# Paths of this machine (host '') belong to the command line.
READABLE = "host <> '' AND hidden_at IS NULL"
# Boards of branches and tags belong to their repository.
LISTED = f"{READABLE} AND parent_key IS NULL"


def by_key(session: Session, key: str) -> Repository | None:
    """The repository that has this key or, if none has, the one to which it leads as a former name."""
    found = _by_key(session, key)
    if found is None and (present := names.present_key(session, key)) != key:
        return _by_key(session, present)
    return found


def by_id(session: Session, repository_id: int) -> Repository | None:
    """The repository with this id, or the one to which it was joined."""
    found = _by_id(session, repository_id)
    if found is None and (present := names.present_id(session, repository_id)) is not None:
        return _by_id(session, present)
    return found


def _by_key(session: Session, key: str) -> Repository | None:
    return one(session, f"{SELECT} FROM repository WHERE key = :key AND {READABLE}", key=key)


def _by_id(session: Session, repository_id: int) -> Repository | None:
    return one(session, f"{SELECT} FROM repository WHERE id = :id AND {READABLE}", id=repository_id)
