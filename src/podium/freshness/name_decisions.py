"""What an administrator decides about a board whose name another repository has at its host."""

from __future__ import annotations

from podium.audit import audit_log
from podium.errors import Conflict
from podium.forgetting.forget_repository import NOTHING_KEPT, Kept, discard_mirrors, mark_repository
from podium.repositories.listing import no_such_id
from podium.repositories.model import Repository
from podium.repositories.store import queries, transitions
from podium.repositories.store.freshness import names
from podium.repositories.store.queue.due_work import next_virtual_start
from podium.storage.session import Database, Session

_OPERATOR = "operator"


def keep(db: Database, repository_id: int, *, actor: str) -> Repository:
    """Keep the old board as it is: it is not counted again. Return it.

    Raises:
        NotFound: there is no such repository.
        Conflict: no other repository has its name.
    """
    with db.write() as session:
        found = _taken(session, repository_id)
        names.keep_as_it_is(session, found.repository_key)
        audit_log.record(session, actor, "keep board", found.url)
    return found


def start_over(db: Database, repository_id: int, *, actor: str, kept: Kept = NOTHING_KEPT) -> Repository:
    """Forget the old board, and count the repository that has its name now. Return the old one.

    Its rows are deleted in steps later. A row of the other repository moves to the name, if there is one.

    Raises:
        NotFound, Conflict: as :func:`keep`.
    """
    with db.write() as session:
        names.begin(session)
        found = _taken(session, repository_id)
        number = names.taken_number(session, found.id)
        address = names.address_of(found)
        rows = names.lock_families(session, [found.repository_key])
        forgotten = mark_repository(session, found.id, actor=actor, act="start over")
        for row in rows:
            if row.id not in {each.id for each in forgotten}:
                forgotten += mark_repository(session, row.id, actor=actor, act="start over")
        others = names.keys_with_number(session, found.host, number) if number else []
        for key in others:
            names.make_due(session, key, within=0.0)
        if not others:
            start = next_virtual_start(session, _OPERATOR)
            transitions.insert(session, address, virtual_start=start, client_id=_OPERATOR)
            if number:
                names.note_number(session, address.key, number)
    discard_mirrors(forgotten, kept)
    return found


def _taken(session: Session, repository_id: int) -> Repository:
    found = queries.lock(session, repository_id)
    if found is not None and found.parent_key is not None:
        found = queries.by_key(session, found.parent_key) or found
    if found is None or not found.host:
        raise no_such_id(repository_id)
    if found.name_taken_at is None:
        raise Conflict(f"{found.url} has its name: there is nothing to decide.")
    return found
