"""Groups: the people who form one row of a board.

**Groups.** :mod:`podium.leaderboard.joining.precedence` decides which people are one row by mailmap, account and
e-mail, and :mod:`podium.leaderboard.joining.joined_names` which of these rows are one because they show one full name.

**Bots.** A group is a bot if the host marks its account as one, if each of its e-mails is a bot's or an agent's, or if
its mailmap identity is a bot's own address. A person to whom the mailmap assigns a bot's address stays a person. An
account for a bot's address counts only if the host marks it as a bot: a user may have registered that address to take
credit for the bot's commits.
"""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Sequence

from podium.leaderboard.joining.joined_names import JoinedNames, join_names
from podium.leaderboard.joining.known_accounts import Accounts
from podium.leaderboard.joining.precedence import Evidence, Key, identity_of, place
from podium.leaderboard.rows.people import COMMITS, MERGES, REMOVED, People


@dataclasses.dataclass(frozen=True, slots=True)
class Groups:
    """The people of a repository in groups; a group is an index.

    Attributes:
        of: the group of each person.
        owners: the contributor of each group, or None.
        identities: the mailmap identity, e-mail or name of a group without an owner; otherwise ''.
        kinds: "human", "bot" or "agent" (a bot with an e-mail of an AI agent); "removed" for the one group of all
            people who were removed on request, which is never on a board.
        parts: for each person the part of the group that would be a row of its own if names joined none.
        anchors: the part of each group that the others joined by name.
        joined: for each group, how many parts joined it by name.
        ways: for each person the :class:`~podium.leaderboard.joining.precedence.Way` into the part.
        namesakes: the groups that joined none of several accounts of their name, and how many there are.
        divided: the groups of each identity that accounts divide.
    """

    of: array[int]
    members: list[list[int]]
    owners: list[int | None]
    identities: list[str]
    kinds: list[str]
    parts: array[int]
    anchors: array[int]
    joined: array[int]
    ways: bytearray
    namesakes: dict[int, int]
    divided: dict[str, set[int]]

    @property
    def size(self) -> int:
        return 17 * len(self.of) + 160 * len(self.members) + 100 * (len(self.namesakes) + len(self.divided))


def group_people(people: People, accounts: Accounts, *, mailmap: bool, names: bool = False) -> Groups:
    """Group the people; ``names`` joins rows of one full name."""
    known = _evidence(people, accounts, mailmap=mailmap)
    places = place(known)
    parts, members = _numbered(places.keys)
    owners = [places.owner(places.keys[those[0]]) for those in members]
    kinds = _kinds(people, accounts, members, owners, places.tools)
    joined = JoinedNames()
    if names:
        shown = _ShownNames(people, accounts, people.mailmap_names if mailmap else people.names, known.identities)
        joined = join_names(
            [shown.of(*part) for part in zip(members, owners, strict=True)],
            kinds,
            owners,
            lambda part: sum(known.commits[person] for person in members[part]),
        )
    of, groups, anchors = parts, members, array("i", range(len(members)))
    if joined.into:
        of, groups = _numbered([joined.into.get(part, part) for part in parts])
        anchors = array("i", (joined.into.get(part, part) for part in (parts[those[0]] for those in groups)))
    of_part = {anchor: group for group, anchor in enumerate(anchors)}
    counts = array("i", bytes(4 * len(groups)))
    for anchor in joined.into.values():
        counts[of_part[anchor]] += 1
    return Groups(
        of,
        groups,
        [owners[anchor] for anchor in anchors],
        [known.identities[members[anchor][0]] if owners[anchor] is None else "" for anchor in anchors],
        [kinds[anchor] for anchor in anchors],
        parts,
        anchors,
        counts,
        places.ways,
        {of_part[part]: several for part, several in joined.namesakes.items()},
        _divided(known.identities, of),
    )


def _divided(identities: list[str], of: array[int]) -> dict[str, set[int]]:
    first: dict[str, int] = {}
    divided: dict[str, set[int]] = {}
    for identity, group in zip(identities, of, strict=True):
        if first.setdefault(identity, group) != group:
            divided.setdefault(identity, {first[identity]}).add(group)
    return divided


def _evidence(people: People, accounts: Accounts, *, mailmap: bool) -> Evidence:
    names = people.mailmap_names if mailmap else people.names
    emails = people.mailmap_emails if mailmap else people.emails
    identities = [*(people.identities if mailmap else people.exact_emails)]
    looked_up: list[int | None] = [None] * len(names)
    claimed: list[int | None] = [None] * len(names)
    tools = [kind != "human" for kind in people.kinds]
    for person, email in enumerate(emails):
        if not email or email.isspace():
            identity = identity_of(email, names[person], identities[person])
            # Two names that lost other bytes may look the same.
            identities[person] = f"{identity}{person}" if "\ufffd" in names[person] else identity
        if people.kinds[person] == "removed":
            identities[person] = REMOVED
    for person, email in enumerate(people.emails if accounts.emails else ()):
        known = accounts.of(email)
        if known is None or known.contributor is None:
            continue
        tools[person] |= accounts.is_bot(known.contributor)
        if known.source != "noreply" and not tools[person]:
            looked_up[person] = known.contributor
        elif known.source == "noreply" or accounts.is_bot(known.contributor):
            claimed[person] = known.contributor
        # A user may have registered a bot's address, to take credit for its commits.
    return Evidence(
        identities,
        [mapped == email for mapped, email in zip(emails, people.emails, strict=True)],
        [mailmap and source == "own" for source in people.mailmap_sources],
        looked_up,
        claimed,
        tools,
        [commits + merges for commits, merges in zip(people.ever[COMMITS], people.ever[MERGES], strict=True)],
    )


def _numbered(keys: Sequence[Key]) -> tuple[array[int], list[list[int]]]:
    """The number of each key in the order of their first appearance, and the indexes of the keys of each number."""
    numbers: dict[Key, int] = {}
    of = array("i", (numbers.setdefault(key, len(numbers)) for key in keys))
    members: list[list[int]] = [[] for _ in numbers]
    for index, number in enumerate(of):
        members[number].append(index)
    return of, members


def _kinds(
    people: People, accounts: Accounts, members: list[list[int]], owners: list[int | None], tools: list[bool]
) -> list[str]:
    found = []
    for those, owner in zip(members, owners, strict=True):
        if people.kinds[those[0]] == "removed":
            found.append("removed")
        elif not all(tools[person] for person in those) and (owner is None or not accounts.is_bot(owner)):
            found.append("human")
        else:
            found.append("agent" if any(people.kinds[person] == "agent" for person in those) else "bot")
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class _ShownNames:
    people: People
    accounts: Accounts
    names: list[str]
    identities: list[str]

    def of(self, members: list[int], owner: int | None) -> set[str]:
        """The names that a row shows, whatever is counted; an account also bears those of its rows without it."""
        if owner is None:
            return {self.names[most_active(self.people, members)]}
        rows: dict[str, list[int]] = {}
        for person in members:
            rows.setdefault(self.identities[person], []).append(person)
        shown = {self.names[most_active(self.people, row)] for row in rows.values()}
        shown.add(self.accounts.contributors[owner]["name"] or "")
        return shown


def most_active(people: People, members: list[int]) -> int:
    """The person with the most commits in the whole history, whose name stands for all of ``members``."""
    if len(members) == 1:
        return members[0]
    commits, merges = people.ever[COMMITS], people.ever[MERGES]
    return min(members, key=lambda p: (-commits[p], -merges[p], people.emails[p], people.names[p]))


@dataclasses.dataclass(frozen=True, slots=True)
class Unresolved:
    emails: int
    size: int = 100


def unresolved(people: People, accounts: Accounts) -> Unresolved:
    """Count e-mails of authors without an account; bots and people who are only co-authors need none."""
    commits, merges = people.counts[COMMITS], people.counts[MERGES]
    found = {
        email
        for person, email in enumerate(people.emails)
        if people.kinds[person] == "human" and commits[person] + merges[person] > 0 and email.strip()
    }
    return Unresolved(len(found - {email for email, known in accounts.emails.items() if known.contributor is not None}))
