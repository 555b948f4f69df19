"""How many boards of branches and tags one repository may have. The least recently read one makes way for a new one."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection

from podium.errors import QueueFull, StorageError
from podium.repositories.model import Repository
from podium.repositories.store import revision_rows
from podium.storage.session import Database, Session

log = logging.getLogger(__name__)

_RETRY_AFTER = 60
# Transactions of one submission, of 2,000 rows at most.
_MOST_STEPS = 10
_REPLACED = "The board of another branch or tag of this repository took its place: submit it again."


def make_room(session: Session, parent_key: str, most: int) -> list[Repository]:
    """Take the boards of the least recently read revisions beyond ``most``; return the rows to :func:`remove`.

    Raises:
        QueueFull: all others are being counted. The transaction must be rolled back.
    """
    for _ in range(revision_rows.number_of(session, parent_key) - most):
        repository = revision_rows.least_recently_read(session, parent_key)
        if repository is None:
            raise QueueFull(
                f"{most} branches and tags of this repository are being counted, which is the limit: try again in "
                f"{_RETRY_AFTER} s.",
                _RETRY_AFTER,
            )
        revision_rows.take_board(session, repository, reason=_REPLACED)
        log.info("repository %d makes way for another branch or tag of %s", repository.id, parent_key)
    return revision_rows.replaced(session, parent_key)


def remove(db: Database, replaced: Collection[Repository]) -> None:
    """Delete replaced rows, as far as a client can wait; the reconciler and the next submission do the rest."""
    steps = _MOST_STEPS
    with contextlib.suppress(StorageError):
        for repository in replaced:
            is_more = True
            while is_more and steps:
                steps -= 1
                with db.write() as session:
                    is_more = revision_rows.remove_some(session, repository.id)
