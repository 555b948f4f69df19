"""The forgotten people of a count: their rows are saved without names and e-mails."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping

from podium.blocks import forgotten_people
from podium.blocks.forgotten_in_repository import NO_ROWS, CountedPerson, forgotten_among
from podium.blocks.forgotten_people import ForgottenPeople
from podium.blocks.other_accounts import emails_with_accounts
from podium.clones.mailmaps.mailmap import Identity, Pair
from podium.counting.count_rows import removed_rows
from podium.history.totals import PersonTotals, Tally
from podium.repositories.stored_person import StoredPerson
from podium.storage.session import Database, Session


@dataclasses.dataclass(frozen=True, slots=True)
class RemovedPeople:
    """What a count saves in place of the names and e-mails of forgotten people.

    Attributes:
        forgotten: who was forgotten when the rows were made.
        stored: what is saved of each forgotten person.
        gone_emails: e-mails that only forgotten people have.
        has_new: whether one has no row in the valid count, so that earlier rows may be the person's too.
    """

    forgotten: ForgottenPeople = dataclasses.field(default_factory=lambda: ForgottenPeople(b"", {}, ""))
    stored: Mapping[Pair, StoredPerson] = dataclasses.field(default_factory=dict)
    gone_emails: frozenset[str] = frozenset()
    has_new: bool = False

    def row_of(self, pair: Pair) -> Pair:
        """The name and e-mail of a person's row."""
        stored = self.stored.get(pair)
        return pair if stored is None else (stored.name, stored.email)

    def totals_of(self, person: PersonTotals) -> PersonTotals:
        name, email = self.row_of((person.name, person.email))
        return person._replace(name=name, email=email, sample_sha="", sample_at=None, other_sha=None)

    def identity_of(self, pair: Pair) -> Identity:
        stored = self.stored[pair]
        return Identity(stored.mailmap_email, stored.mailmap_name, stored.mailmap_identity)


NO_ONE = RemovedPeople()


def has_forgotten(db: Database, github_host: str) -> bool:
    with db.read() as session:
        return bool(forgotten_people.load(session, github_host))


def forgotten_emails(db: Database, emails: Collection[str], github_host: str) -> set[str]:
    """Those of ``emails`` that name forgotten people by themselves."""
    with db.read() as session:
        forgotten = forgotten_people.load(session, github_host)
    return {email for email in emails if forgotten.of_email(email)} if forgotten else set()


def removed_people(
    db: Database,
    repository_id: int,
    tally: Tally,
    identities: Mapping[Pair, Identity],
    *,
    is_increment: bool,
    github_host: str,
) -> RemovedPeople:
    """Find the forgotten people among those of a count.

    Raises:
        StorageError: the database cannot be read.
    """
    with db.read() as session:
        forgotten = forgotten_people.load(session, github_host)
        if not forgotten:
            return NO_ONE
        earlier = removed_rows(session, repository_id) if is_increment else NO_ROWS
        commits = {(each.name, each.email): each.commits + each.merges for each in tally.persons()}
        pairs = list(identities)
        counted = [
            CountedPerson(email, name, found.email, found.name, found.key, commits.get((name, email), 0))
            for (name, email), found in identities.items()
        ]

        def others(emails: Collection[str], session: Session = session) -> Collection[str]:
            return emails_with_accounts(session, emails, github_host)

        found = forgotten_among(forgotten, counted, others, earlier)
    stored = {
        pairs[index]: forgotten.stored(
            counted[index].email,
            counted[index].name,
            mailmap_name=counted[index].mailmap_name,
            identity=counted[index].identity,
        )
        for index in found
    }
    gone = {email for _, email in stored} - {email for name, email in pairs if (name, email) not in stored}
    has_new = any(each.email not in earlier.emails for each in stored.values())
    return RemovedPeople(forgotten, stored, frozenset(gone), has_new)
