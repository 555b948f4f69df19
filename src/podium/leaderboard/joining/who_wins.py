"""Who wins where the evidence about a person disagrees. Pure; docs/counting.md has the same order as a table.

1. The user's own mailmap joins anything, accounts too. Two of its identities never join.
2. An account that the host named when it was asked. A bot's account comes after the mailmap.
3. The repository's mailmap.
4. The account number in a noreply address, and a bot's account.
5. Equal e-mails.

Equal names come last: :mod:`podium.leaderboard.joining.joined_names`.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable

# An account (``contributor.id``), or an identity: of a mailmap, an e-mail, or the name of a person without one.
Key = int | str


class Way(enum.IntEnum):
    """Which evidence put a person into their row."""

    ADDRESS = 0
    NUMBER = 1
    MAILMAP = 2
    ACCOUNT = 3
    OWN_MAILMAP = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of each person, in columns.

    Attributes:
        identities: the mailmap's, or the e-mail; see :func:`identity_of`.
        is_target: whether the mailmap leaves the e-mail as it is.
        is_own: whether the identity comes from the user's own mailmap.
        looked_up: the account that the host named, of people only.
        claimed: the account that the address names; of bots also the account that the host named.
        is_tool: whether it is a bot or an agent.
        commits: of the whole history.
    """

    identities: list[str]
    is_target: list[bool]
    is_own: list[bool]
    looked_up: list[int | None]
    claimed: list[int | None]
    is_tool: list[bool]
    commits: list[int]


@dataclasses.dataclass(frozen=True, slots=True)
class Places:
    """Attributes:
    keys: people with one key are one row.
    ways: a :class:`Way` for each person.
    owners: the account of each identity of the user's own mailmap that has one.
    tools: whether a person counts as a bot or an agent, also because the mailmap says so.
    """

    keys: list[Key]
    ways: bytearray
    owners: dict[str, int]
    tools: list[bool]

    def owner(self, key: Key) -> int | None:
        return key if isinstance(key, int) else self.owners.get(key)


def identity_of(email: str, name: str, identity: str) -> str:
    """``identity``, or the name if the e-mail is blank: it is no one's address and joins nothing."""
    return identity if email and not email.isspace() else f"{name} <>"


def place(known: Evidence) -> Places:
    """Decide which people are one row, without regard to names."""
    places = Places([*known.identities], bytearray(len(known.identities)), {}, [*known.is_tool])
    by_own = _place_by_own_mailmap(known, places)
    # For each identity: where looked-up accounts put some of its people, and the others.
    accounts: dict[str, set[Key]] = {}
    others: dict[str, list[int]] = {}
    for person, identity in enumerate(known.identities):
        account = known.looked_up[person]
        if places.ways[person]:
            continue
        if account is None:
            others.setdefault(identity, []).append(person)
        else:
            key = places.keys[person] = by_own.get(account, account)
            places.ways[person] = Way.ACCOUNT
            accounts.setdefault(identity, set()).add(key)
    own = {known.identities[person] for person, is_own in enumerate(known.is_own) if is_own}
    for identity, people in others.items():
        _place_others(known, places, by_own, people, {identity} if identity in own else accounts.get(identity, set()))
    return places


def _place_by_own_mailmap(known: Evidence, places: Places) -> dict[int, str]:
    """Return the accounts that the user's own mailmap gives to an identity; it gets all of their other people, too."""
    members: dict[str, list[int]] = {known.identities[person]: [] for person, own in enumerate(known.is_own) if own}
    if not members:
        return {}
    for person, identity in enumerate(known.identities):
        if identity in members and (known.is_own[person] or known.is_target[person]):
            members[identity].append(person)
            places.ways[person] = Way.OWN_MAILMAP
    # The strongest claim to an account wins: that of the address to which the mailmap leads, then of most commits.
    claims: dict[int, tuple[tuple[bool, bool, int], str]] = {}
    for identity, people in members.items():
        # A bot's commits given to a person do not make the bot's account theirs.
        tools = all(known.is_tool[person] for person in people)
        for person in people:
            account = known.looked_up[person] or known.claimed[person]
            if account is not None and known.is_tool[person] == tools:
                claim = (known.is_target[person], known.looked_up[person] is not None, known.commits[person])
                if account not in claims or claim > claims[account][0]:
                    claims[account] = claim, identity
    strongest: dict[str, tuple[bool, bool, int]] = {}
    for account, (claim, identity) in claims.items():
        if identity not in strongest or claim > strongest[identity]:
            strongest[identity] = claim
            places.owners[identity] = account
    return {account: identity for account, (_, identity) in claims.items()}


def _place_others(
    known: Evidence, places: Places, by_own: dict[int, str], people: list[int], accounts: set[Key]
) -> None:
    """Place the people of one identity without a looked-up account; ``accounts`` are where its other people are."""
    is_tool = any(known.is_tool[person] and known.is_target[person] for person in people)
    if is_tool:
        # What the mailmap gives to a bot is the bot's.
        accounts = set()
        for person in people:
            places.tools[person] = True
    if len(accounts) == 1:
        [key] = accounts
        _put(known, places, by_own, people, key)
        return
    # The mailmap does not say which of several accounts it means. A number does.
    rest = []
    for person in people:
        account = known.claimed[person]
        number = None if account is None else by_own.get(account, account)
        if number is not None and number in accounts:
            _put(known, places, by_own, [person], number)
        else:
            rest.append(person)
    if rest:
        is_tool = is_tool or all(known.is_tool[person] for person in rest)
        account = _main_account(known, [person for person in rest if known.is_tool[person] == is_tool])
        _put(
            known, places, by_own, rest, known.identities[rest[0]] if account is None else by_own.get(account, account)
        )


def _put(known: Evidence, places: Places, by_own: dict[int, str], people: Iterable[int], key: Key) -> None:
    for person in people:
        account = known.claimed[person]
        places.keys[person] = key
        if account is not None and by_own.get(account, account) == key:
            places.ways[person] = Way.NUMBER
        elif not known.is_target[person] or key != known.identities[person]:
            places.ways[person] = Way.MAILMAP


def _main_account(known: Evidence, people: list[int]) -> int | None:
    """The account that addresses of one identity name: that of its own address first, then that of most commits."""
    commits: dict[int, int] = {}
    for person in people:
        account = known.claimed[person]
        if account is not None and known.is_target[person]:
            return account
        if account is not None:
            commits[account] = commits.get(account, 0) + known.commits[person]
    return max(commits, key=commits.__getitem__, default=None)
