from __future__ import annotations

from collections.abc import Collection, Mapping

from podium.clones.mailmaps.mailmap import Identity, Pair
from podium.clones.source import History
from podium.counting.count_rows import known_pairs
from podium.repositories.model import Repository
from podium.storage.session import Database


def mailmap_changes(
    db: Database, repository: Repository, since: str | None, history: History, people: Collection[Pair]
) -> Mapping[Pair, Identity]:
    """Apply the mailmaps to the ``people`` of a count, and to earlier people whose identity changes.

    Unchanged mailmaps affect earlier people only if they give an e-mail to two names: each has its own key, and the
    second may be new.

    Raises:
        HistoryError, StorageError: git cannot read a mailmap; the database cannot be read.
        Interrupted: the count was stopped.
    """
    wanted = set(people)
    if since is not None and repository.mailmap != history.mailmaps.version:
        with db.read() as session:
            wanted.update(known_pairs(session, repository.id))
    found = history.identities(wanted)
    if since is None or not history.mailmaps.version or len(wanted) > len(people):
        return found
    with db.read() as session:
        beside = known_pairs(session, repository.id, "mailmap_email", {identity.email for identity in found.values()})
    return found if beside.keys() <= wanted else history.identities(wanted | beside.keys())
