"""The identities with which a count is saved."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from podium.clones.mailmap import Identity, Pair
from podium.clones.source import History
from podium.counting.save import known_pairs
from podium.repositories.model import Repository
from podium.storage.session import Database


def mailmap_changes(
    db: Database, repository: Repository, since: str | None, history: History, people: Collection[Pair]
) -> Mapping[Pair, Identity]:
    """What the mailmap makes of the ``people`` of a count, and of those saved before to whom that makes a difference.

    A mailmap that changed may say something else of everybody. The same one says of those who are known what it said
    before, but for one thing: where it gives an e-mail to two names, each has a key of its own, and the second may be
    among the new.

    Raises:
        HistoryError: git cannot read the mailmap.
        StorageError: the database cannot be read.
        Interrupted: told to stop.
    """
    wanted = set(people)
    if since is not None and repository.mailmap != (history.mailmap or ""):
        with db.read() as session:
            wanted.update(known_pairs(session, repository.id))
    found = history.identities(wanted)
    if since is None or history.mailmap is None or len(wanted) > len(people):
        return found
    with db.read() as session:
        beside = known_pairs(session, repository.id, "mailmap_email", {identity.email for identity in found.values()})
    return found if beside.keys() <= wanted else history.identities(wanted | beside.keys())
