"""Whose e-mail is whose, as far as it is known, and which rows of a repository belong together. Pure but for one query.

Who belongs together: an account beats the mailmap. Rows of one account are one row of the board. With the mailmap, a
row without an account joins the account of its mailmap identity if that identity has exactly one; with none or with
several, the rows without an account are one row of the board by their identity. Without the mailmap they are one
row for each e-mail. Names alone never merge two rows.

What is a bot: an account of which the host itself says so (an e-mail is anybody's word); else a row of the board of
which every e-mail is a bot's or an agent's, or whose mailmap identity *is* one (a mailmap may map odd addresses to a
bot's). A person to whom the mailmap maps a bot's address stays a person. An account that the host gave for a tool's
address is not believed unless it is marked a bot: somebody has registered that address as their own, and would be
credited with all that the tool did.
"""

from __future__ import annotations

import dataclasses
from array import array

from podium.leaderboard.people import COMMITS, MERGES, People
from podium.storage.session import Row, Session

_OF_CONTRIBUTOR = ("id", "account_id", "username", "name", "avatar_url", "profile_url", "is_bot", "enriched_at")

# Several names of one e-mail give the same row several times; to sort them out here costs less than there.
_KNOWN = f"""
SELECT c.email, k.contributor_id, k.source, k.known_at, {", ".join(f"p.{column}" for column in _OF_CONTRIBUTOR)}
FROM commit_data c
    JOIN known_email k ON k.host = :github_host AND k.email = c.email
    LEFT JOIN contributor p ON p.id = k.contributor_id
WHERE c.repository_id = :repository"""


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """What is known of one e-mail: its contributor (None: nobody's), how, and since when."""

    contributor: int | None
    source: str
    at: float


@dataclasses.dataclass(frozen=True, slots=True)
class Accounts:
    """What is known of the e-mails of a repository, and the rows of ``contributor`` behind them, by their ids."""

    emails: dict[str, Known]
    contributors: dict[int, Row]

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 250 * len(self.emails) + 900 * len(self.contributors)

    def is_bot(self, contributor: int) -> bool:
        """Whether the host itself says that an account is a bot's."""
        row = self.contributors[contributor]
        return bool(row["is_bot"]) and row["enriched_at"] is not None


def load_accounts(session: Session, repository_id: int, github_host: str) -> Accounts:
    """Read what is known of the e-mails of a repository."""
    emails: dict[str, Known] = {}
    contributors: dict[int, Row] = {}
    for row in session.all(_KNOWN, repository=repository_id, github_host=github_host):
        contributor = row["contributor_id"]
        emails[row["email"]] = Known(contributor, row["source"], row["known_at"])
        if contributor is not None and contributor not in contributors:
            contributors[contributor] = {column: row[column] for column in _OF_CONTRIBUTOR}
    return Accounts(emails, contributors)


@dataclasses.dataclass(frozen=True, slots=True)
class Groups:
    """The rows of a board under one way of telling who belongs together, before anything is counted.

    Attributes:
        of: the group of each row of :class:`People`.
        members: the rows of each group.
        owners: the contributor of each group; None where it is an identity.
        identities: the mailmap identity or e-mail of a group without an owner; '' for the others.
        kinds: "human", "bot" or "agent" (a bot of which some e-mail is an AI agent's).
    """

    of: array[int]
    members: list[list[int]]
    owners: list[int | None]
    identities: list[str]
    kinds: list[str]

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 12 * len(self.of) + 150 * len(self.members)


def group(people: People, accounts: Accounts, *, mailmap: bool) -> Groups:
    """Put together the rows that belong together."""
    owners = [_believed(accounts, email, kind) for email, kind in zip(people.emails, people.kinds, strict=True)]
    tools = [kind != "human" for kind in people.kinds]
    identities = people.emails
    if mailmap:
        identities = people.identities
        adopted = _adopted(people, owners)
        for place, identity in enumerate(identities):
            if identity in adopted:
                owner, is_tool = adopted[identity]
                tools[place] = tools[place] or (is_tool and owners[place] is None)
                owners[place] = owners[place] or owner
    return _grouped(people, accounts, owners, identities, tools)


def _believed(accounts: Accounts, email: str, kind: str) -> int | None:
    known = accounts.emails.get(email)
    if known is None or known.contributor is None:
        return None
    if kind == "human" or known.source == "noreply" or accounts.is_bot(known.contributor):
        return known.contributor
    return None


def _adopted(people: People, owners: list[int | None]) -> dict[str, tuple[int | None, bool]]:
    """The identities of the mailmap that bring their rows to an account, or that are a tool's."""
    accounts: dict[str, set[int]] = {}
    tools: set[str] = set()
    for place, identity in enumerate(people.identities):
        owner = owners[place]
        if owner is not None:
            accounts.setdefault(identity, set()).add(owner)
        if people.kinds[place] != "human" and people.emails[place] == people.mailmap_emails[place]:
            tools.add(identity)
    found: dict[str, tuple[int | None, bool]] = {
        identity: (next(iter(those)), False) for identity, those in accounts.items() if len(those) == 1
    }
    found.update(dict.fromkeys(tools, (None, True)))
    return found


def _grouped(
    people: People, accounts: Accounts, owners: list[int | None], identities: list[str], tools: list[bool]
) -> Groups:
    numbers: dict[int | str, int] = {}
    of = array("i", bytes(4 * len(owners)))
    members: list[list[int]] = []
    for place, owner in enumerate(owners):
        key = identities[place] if owner is None else owner
        number = numbers.setdefault(key, len(members))
        if number == len(members):
            members.append([])
        members[number].append(place)
        of[place] = number
    return Groups(
        of,
        members,
        [owners[places[0]] for places in members],
        [identities[places[0]] if owners[places[0]] is None else "" for places in members],
        [_kind(people, accounts, places, owners[places[0]], tools) for places in members],
    )


def _kind(people: People, accounts: Accounts, places: list[int], owner: int | None, tools: list[bool]) -> str:
    if not all(tools[place] for place in places) and (owner is None or not accounts.is_bot(owner)):
        return "human"
    return "agent" if any(people.kinds[place] == "agent" for place in places) else "bot"


@dataclasses.dataclass(frozen=True, slots=True)
class Unresolved:
    """How many e-mails of people have no account, whatever the rules."""

    emails: int
    size: int = 100


def unresolved(people: People, accounts: Accounts) -> Unresolved:
    """Count them: bots need none, nor do those who are only named as co-authors."""
    commits, merges = people.counts[COMMITS], people.counts[MERGES]
    found = {
        email
        for place, email in enumerate(people.emails)
        if people.kinds[place] == "human" and commits[place] + merges[place] > 0
    }
    return Unresolved(len(found - {email for email, known in accounts.emails.items() if known.contributor is not None}))
