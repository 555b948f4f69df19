"""Who wins where the evidence about a person disagrees. Pure; docs/counting.md has the same order as a table.

1. The user's own mailmap joins anything, accounts too. Two of its identities share no account.
2. An account that the host named when it was asked. A bot's account comes after the mailmap.
3. The repository's mailmap.
4. The account number in a noreply address, and a bot's account.
5. Equal e-mails.

Equal names come last: :mod:`podium.leaderboard.joining.joined_names`.
"""

from __future__ import annotations

import dataclasses
import enum

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
    """Where people belong, before names are compared.

    Attributes:
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
    return _Placing(known).places


class _Placing:
    def __init__(self, known: Evidence) -> None:
        self._known = known
        self.places = Places([*known.identities], bytearray(len(known.identities)), {}, [*known.is_tool])
        # The accounts of identities of the user's own mailmap: such an identity gets all of their other people, too.
        self._own: dict[int, str] = {}
        own = {identity for identity, is_own in zip(known.identities, known.is_own, strict=True) if is_own}
        if own:
            self._place_by_own_mailmap(own)
        # For each identity: where looked-up accounts put some of its people, and the others.
        accounts: dict[str, set[Key]] = {}
        others: dict[str, list[int]] = {}
        shared = _repeated(known.identities) | own
        for person, identity in enumerate(known.identities):
            account = known.looked_up[person]
            if self.places.ways[person]:
                continue
            if account is not None:
                key = self.places.keys[person] = self._key(account)
                self.places.ways[person] = Way.ACCOUNT
                accounts.setdefault(identity, set()).add(key)
            elif identity in shared:
                others.setdefault(identity, []).append(person)
            elif known.claimed[person] is not None or not known.is_target[person]:
                self._put([person], identity, known.claimed[person])
        for identity, people in others.items():
            self._place_others(people, identity, {identity} if identity in own else accounts.get(identity, set()))

    def _key(self, account: int) -> Key:
        return self._own.get(account, account)

    def _place_by_own_mailmap(self, own: set[str]) -> None:
        known = self._known
        members: dict[str, list[int]] = {}
        for person, identity in enumerate(known.identities):
            if identity in own and (known.is_own[person] or known.is_target[person]):
                members.setdefault(identity, []).append(person)
                self.places.ways[person] = Way.OWN_MAILMAP
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
            self._own[account] = identity
            if identity not in strongest or claim > strongest[identity]:
                strongest[identity] = claim
                self.places.owners[identity] = account

    def _place_others(self, people: list[int], identity: str, elsewhere: set[Key]) -> None:
        """Place the people of one identity without a looked-up account; ``elsewhere`` are the rows of its others."""
        known = self._known
        is_tool = any(known.is_tool[person] and known.is_target[person] for person in people)
        if is_tool:
            # What the mailmap gives to a bot is the bot's.
            elsewhere = set()
            for person in people:
                self.places.tools[person] = True
        if len(elsewhere) == 1:
            self._put_into(people, next(iter(elsewhere)))
            return
        # The mailmap does not say which of several accounts it means. A number does.
        rest = []
        for person in people:
            account = known.claimed[person]
            if account is not None and self._key(account) in elsewhere:
                self._put([person], identity, account)
            else:
                rest.append(person)
        is_tool = is_tool or all(known.is_tool[person] for person in rest)
        same_kind = [person for person in rest if known.is_tool[person] == is_tool]
        self._put(rest, identity, self._main_account(same_kind))

    def _main_account(self, people: list[int]) -> int | None:
        """The account that addresses of one identity name: that of its own address first, then that of most commits."""
        commits: dict[int, int] = {}
        for person in people:
            account = self._known.claimed[person]
            if account is not None and self._known.is_target[person]:
                return account
            if account is not None:
                commits[account] = commits.get(account, 0) + self._known.commits[person]
        return max(commits, key=commits.__getitem__, default=None)

    def _put(self, people: list[int], identity: str, account: int | None) -> None:
        self._put_into(people, identity if account is None else self._key(account))

    def _put_into(self, people: list[int], key: Key) -> None:
        known, places = self._known, self.places
        for person in people:
            account = known.claimed[person]
            places.keys[person] = key
            if account is not None and self._key(account) == key:
                places.ways[person] = Way.NUMBER
            elif not known.is_target[person] or key != known.identities[person]:
                places.ways[person] = Way.MAILMAP


def _repeated(identities: list[str]) -> set[str]:
    seen: set[str] = set()
    repeated: set[str] = set()
    for identity in identities:
        if identity in seen:
            repeated.add(identity)
        seen.add(identity)
    return repeated
