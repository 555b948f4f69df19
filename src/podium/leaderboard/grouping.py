"""Groups: the people who form one row of a board.

**Groups.** People with the same account are one group. With the mailmap, a person without an account joins the account
of their mailmap identity if it has exactly one; otherwise people without an account form one group per identity.
Without the mailmap they form one group per e-mail. A name alone never joins two people.

**Bots.** A group is a bot if the host marks its account as one, if each of its e-mails is a bot's or an agent's, or if
its mailmap identity is a bot's own address. A person to whom the mailmap assigns a bot's address stays a person. An
account for a bot's address counts only if the host marks it as a bot: a user may have registered that address to take
credit for the bot's commits.
"""

from __future__ import annotations

import dataclasses
from array import array

from podium.leaderboard.people import COMMITS, MERGES, People
from podium.repositories.store.queries import OF_VALID_COUNT
from podium.storage.session import Row, Session

_OF_CONTRIBUTOR = ("id", "account_id", "username", "name", "avatar_url", "profile_url", "is_bot", "enriched_at")

# Several names of one e-mail give duplicates; Python removes them faster than DISTINCT.
_KNOWN = f"""
SELECT c.email, k.contributor_id, k.source, k.known_at, {", ".join(f"p.{column}" for column in _OF_CONTRIBUTOR)}
FROM commit_data c
    JOIN known_email k ON k.host = :github_host AND k.email = c.email
    LEFT JOIN contributor p ON p.id = k.contributor_id
WHERE {OF_VALID_COUNT}"""


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """What is known of one e-mail; ``contributor`` is None if it has no account."""

    contributor: int | None
    source: str
    at: float


@dataclasses.dataclass(frozen=True, slots=True)
class Accounts:
    """What is known of each e-mail, and contributors by id."""

    emails: dict[str, Known]
    contributors: dict[int, Row]

    @property
    def size(self) -> int:
        return 250 * len(self.emails) + 900 * len(self.contributors)

    def is_bot(self, contributor: int) -> bool:
        row = self.contributors[contributor]
        return bool(row["is_bot"]) and row["enriched_at"] is not None


def load_accounts(session: Session, repository_id: int, github_host: str) -> Accounts:
    emails: dict[str, Known] = {}
    contributors: dict[int, Row] = {}
    for row in session.all(_KNOWN, id=repository_id, github_host=github_host):
        contributor = row["contributor_id"]
        emails[row["email"]] = Known(contributor, row["source"], row["known_at"])
        if contributor is not None and contributor not in contributors:
            contributors[contributor] = {column: row[column] for column in _OF_CONTRIBUTOR}
    return Accounts(emails, contributors)


@dataclasses.dataclass(frozen=True, slots=True)
class Groups:
    """The people of a repository in groups; a group is an index.

    Attributes:
        of: the group of each person.
        owners: the contributor of each group, or None.
        identities: the mailmap identity or e-mail of a group without an owner; otherwise ''.
        kinds: "human", "bot" or "agent" (a bot with an e-mail of an AI agent).
    """

    of: array[int]
    members: list[list[int]]
    owners: list[int | None]
    identities: list[str]
    kinds: list[str]

    @property
    def size(self) -> int:
        return 12 * len(self.of) + 150 * len(self.members)


def group_people(people: People, accounts: Accounts, *, mailmap: bool) -> Groups:
    owners = [_believed(accounts, email, kind) for email, kind in zip(people.emails, people.kinds, strict=True)]
    tools = [kind != "human" for kind in people.kinds]
    identities = people.emails
    if mailmap:
        identities = people.identities
        adopted = _adopted(people, owners)
        for person, identity in enumerate(identities):
            if identity in adopted:
                owner, is_tool = adopted[identity]
                tools[person] = tools[person] or (is_tool and owners[person] is None)
                owners[person] = owners[person] or owner
    return _grouped(people, accounts, owners, identities, tools)


def _believed(accounts: Accounts, email: str, kind: str) -> int | None:
    known = accounts.emails.get(email)
    if known is None or known.contributor is None:
        return None
    if kind == "human" or known.source == "noreply" or accounts.is_bot(known.contributor):
        return known.contributor
    return None


def _adopted(people: People, owners: list[int | None]) -> dict[str, tuple[int | None, bool]]:
    """For each mailmap identity: its only account, and whether it is a bot's."""
    accounts: dict[str, set[int]] = {}
    tools: set[str] = set()
    for person, identity in enumerate(people.identities):
        owner = owners[person]
        if owner is not None:
            accounts.setdefault(identity, set()).add(owner)
        if people.kinds[person] != "human" and people.emails[person] == people.mailmap_emails[person]:
            tools.add(identity)
    found: dict[str, tuple[int | None, bool]] = {
        identity: (next(iter(those)), False) for identity, those in accounts.items() if len(those) == 1
    }
    found.update(dict.fromkeys(tools, (None, True)))
    return found


def _grouped(
    people: People, accounts: Accounts, owners: list[int | None], identities: list[str], tools: list[bool]
) -> Groups:
    groups: dict[int | str, int] = {}
    of = array("i", bytes(4 * len(owners)))
    members: list[list[int]] = []
    for person, owner in enumerate(owners):
        key = identities[person] if owner is None else owner
        group = groups.setdefault(key, len(members))
        if group == len(members):
            members.append([])
        members[group].append(person)
        of[person] = group
    return Groups(
        of,
        members,
        [owners[those[0]] for those in members],
        [identities[those[0]] if owners[those[0]] is None else "" for those in members],
        [_kind(people, accounts, those, owners[those[0]], tools) for those in members],
    )


def _kind(people: People, accounts: Accounts, members: list[int], owner: int | None, tools: list[bool]) -> str:
    if not all(tools[person] for person in members) and (owner is None or not accounts.is_bot(owner)):
        return "human"
    return "agent" if any(people.kinds[person] == "agent" for person in members) else "bot"


@dataclasses.dataclass(frozen=True, slots=True)
class Unresolved:
    emails: int
    size: int = 100


def unresolved(people: People, accounts: Accounts) -> Unresolved:
    """Count authors' e-mails without an account; bots and people who are only co-authors need none."""
    commits, merges = people.counts[COMMITS], people.counts[MERGES]
    found = {
        email
        for person, email in enumerate(people.emails)
        if people.kinds[person] == "human" and commits[person] + merges[person] > 0
    }
    return Unresolved(len(found - {email for email, known in accounts.emails.items() if known.contributor is not None}))
