"""The ranking of a repository's people under rules. Pure.

Ties: the earlier first commit comes first; within the same second, accounts come first (by id), then e-mails.
"""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Collection, Iterator

from podium.leaderboard.counts.commit_log import CommitLog, Window
from podium.leaderboard.counts.credits import Credits
from podium.leaderboard.joining.grouping import Groups
from podium.leaderboard.joining.known_accounts import Accounts
from podium.leaderboard.rules import Rules

_NEVER = 2**63


@dataclasses.dataclass(frozen=True, slots=True)
class FirstCommits:
    """The time of each group's first commit in the whole history, without dates that cannot be true; 2**63 if there is
    none.
    """

    times: array[int]

    @property
    def size(self) -> int:
        return 8 * len(self.times)


@dataclasses.dataclass(frozen=True, slots=True)
class IdentityOrder:
    """The order of groups with equal counts and first commits."""

    order: array[int]

    @property
    def size(self) -> int:
        return 4 * len(self.order)


@dataclasses.dataclass(frozen=True, slots=True)
class TieBreak:
    """The order of groups with equal counts; it is the same for every window.

    Attributes:
        first: the time of each group's first counted commit: see :class:`FirstCommits`.
    """

    first: array[int]
    order: array[int]

    @property
    def size(self) -> int:
        return 12 * len(self.first)


@dataclasses.dataclass(frozen=True, slots=True)
class Ranking:
    """A ranked board.

    Attributes:
        order: the groups on the board, best first.
        ranks: the rank of each group, from 1; 0 if it is not on the board.
        counted: the counted commits of each group, on the board or not.
        authored: those of them that the group authored.
        by_person: the counted commits that each person authored or is credited for.
        merges: the merges of all people in the window, counted or not.
        total: the counted commits of all groups on the board.
    """

    order: array[int]
    ranks: array[int]
    counted: array[int]
    authored: array[int]
    by_person: array[int]
    merges: int
    total: int

    @property
    def size(self) -> int:
        return 4 * len(self.by_person) + 16 * len(self.ranks)

    def people_for_half(self) -> int:
        """How many groups, the most active first, make at least half of the commits."""
        so_far = 0
        for rank, group in enumerate(self.order, start=1):
            so_far += self.counted[group]
            if 2 * so_far >= self.total:
                return rank
        return 0


def identity_order(accounts: Accounts, groups: Groups) -> IdentityOrder:
    def identity(group: int) -> tuple[bool, int, str]:
        owner = groups.owners[group]
        account = None if owner is None else accounts.contributors[owner]["account_id"]
        return account is None, account or 0, groups.identities[group]

    return IdentityOrder(array("I", sorted(range(len(groups.members)), key=identity)))


def tie_break(first: FirstCommits, identities: IdentityOrder) -> TieBreak:
    return TieBreak(first.times, array("I", sorted(identities.order, key=first.times.__getitem__)))


def rank(
    log: CommitLog,
    groups: Groups,
    credits: Credits,
    ties: TieBreak,
    rules: Rules,
    *,
    among: Collection[int] | None = None,
) -> Ranking:
    """``among``: the groups that may be on the board; None: all."""
    window = log.window(rules)
    by_person = log.commits(window)
    if rules.merges:
        for person, count in log.merges(window).items():
            by_person[person] += count
    authored = [0] * len(groups.members)
    for group, count in zip(groups.of, by_person, strict=True):
        authored[group] += count
    counted = authored
    if rules.co_authors:
        counted = authored[:]
        for entry, count in _named(log, rules, window):
            for group in credits.credited[entry]:
                counted[group] += count
            own = groups.of[log.named.authors[entry]]
            for person in log.named.sets[entry]:
                if groups.of[person] != own:
                    by_person[person] += count
    ranked = _on_board(groups, ties, rules, counted)
    if among is not None:
        ranked = [group for group in ranked if group in among]
    ranked.sort(key=counted.__getitem__, reverse=True)
    ranks = array("I", bytes(4 * len(counted)))
    for place, group in enumerate(ranked, start=1):
        ranks[group] = place
    total = sum(map(counted.__getitem__, ranked))
    kept = array("I", authored)
    return Ranking(
        array("I", ranked),
        ranks,
        array("I", counted) if rules.co_authors else kept,
        kept,
        array("I", by_person),
        len(log.all_merges(window)),
        total,
    )


def _named(log: CommitLog, rules: Rules, window: Window) -> Iterator[tuple[int, int]]:
    """The entries of commits that name others, with the number of commits that count."""
    for entry, count in enumerate(log.named.counts(window)):
        if count and (rules.merges or not log.named.is_merge[entry]):
            yield entry, count


def _on_board(groups: Groups, ties: TieBreak, rules: Rules, counted: list[int]) -> list[int]:
    kinds, ranked = groups.kinds, {kind for kind in ("human", "bot", "agent") if is_ranked(kind, rules)}
    return [group for group in ties.order if counted[group] > 0 and kinds[group] in ranked]


def is_ranked(kind: str, rules: Rules) -> bool:
    """Whether the rules rank groups of that kind."""
    if kind == "removed":
        return False
    match rules.bots:
        case "include":
            return True
        case "exclude":
            return kind == "human"
    return kind != "human"


def first_commits(log: CommitLog, groups: Groups, credits: Credits, *, merges: bool, co_authors: bool) -> FirstCommits:
    """``merges``, ``co_authors``: whether these count."""
    first, of = [_NEVER] * len(groups.members), groups.of
    since, until = log.ordinary
    for person, date in enumerate(log.firsts):
        when = date if date >= since else min(log.within(person, False, log.ordinary)[:1], default=_NEVER)
        if when < until:
            group = of[person]
            first[group] = min(first[group], when)
    if merges:
        for person in log.mergers:
            when, group = min(log.within(person, True, log.ordinary)[:1], default=_NEVER), of[person]
            first[group] = min(first[group], when)
    if co_authors:
        for entry, those in enumerate(credits.credited):
            if those and (merges or not log.named.is_merge[entry]):
                when = min(log.named.within(entry, log.ordinary)[:1], default=_NEVER)
                for group in those:
                    first[group] = min(first[group], when)
    return FirstCommits(array("Q", first))
