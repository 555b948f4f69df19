"""The ranking of a repository's people under rules. Pure.

Ties: the earlier first commit comes first; within the same second, accounts come first (by id), then e-mails.
"""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Callable

from podium.leaderboard.grouping import Groups
from podium.leaderboard.known_accounts import Accounts
from podium.leaderboard.people import DATED, People, WeeklyActivity, kinds_counted
from podium.leaderboard.rules import Rules

_NEVER = 2**62


@dataclasses.dataclass(frozen=True, slots=True)
class TieBreak:
    """The order of groups with equal counts; it is the same for every window.

    Attributes:
        first: the time of each group's first counted commit in the whole history.
    """

    first: list[int]
    order: array[int]

    @property
    def size(self) -> int:
        return 45 * len(self.first)


@dataclasses.dataclass(frozen=True, slots=True)
class Ranking:
    """A ranked board.

    Attributes:
        order: the groups on the board, best first.
        ranks: the rank of each group, from 1; 0 if it is not on the board.
        counted: the counted commits of each group, on the board or not.
        total: the commits of all groups on the board.
    """

    order: array[int]
    ranks: array[int]
    counted: list[int]
    by_person: list[int]
    total: int

    @property
    def size(self) -> int:
        return 30 * len(self.by_person) + 60 * len(self.ranks)

    def people_for_half(self) -> int:
        """How many groups, the most active first, make at least half of the commits."""
        so_far = 0
        for rank, group in enumerate(self.order, start=1):
            so_far += self.counted[group]
            if 2 * so_far >= self.total:
                return rank
        return 0

    def new_people(self, ties: TieBreak, since: int | None, until: int | None) -> int:
        """How many groups on the board have their first commit from ``since`` to before ``until``."""
        low = -_NEVER if since is None else since
        high = _NEVER if until is None else until
        return sum(low <= ties.first[group] < high for group in self.order)


def tie_break(people: People, accounts: Accounts, groups: Groups, rules: Rules) -> TieBreak:
    first = _first(people, groups, rules)
    order = sorted(range(len(first)), key=lambda group: _tie(groups, accounts, first, group))
    return TieBreak(first, array("i", order))


def rank(
    people: People, groups: Groups, ties: TieBreak, rules: Rules, activity: Callable[[], WeeklyActivity]
) -> Ranking:
    """Rank the groups under ``rules``; ``activity`` is called only if there is a window."""
    by_person = _person_counts(people, rules, activity)
    counted = [0] * len(groups.members)
    for group, count in zip(groups.of, by_person, strict=True):
        counted[group] += count
    ranked = _on_board(groups, ties, rules, counted)
    ranked.sort(key=counted.__getitem__, reverse=True)
    ranks = array("i", bytes(4 * len(counted)))
    for place, group in enumerate(ranked, start=1):
        ranks[group] = place
    return Ranking(array("i", ranked), ranks, counted, by_person, sum(map(counted.__getitem__, ranked)))


def _person_counts(people: People, rules: Rules, activity: Callable[[], WeeklyActivity]) -> list[int]:
    kinds = kinds_counted(rules)
    if not rules.windowed:
        columns = [people.counts[kind] for kind in kinds]
        return list(map(sum, zip(*columns, strict=True))) if len(columns) > 1 else list(columns[0])
    counted = [0] * len(people.ids)
    did = activity()
    span = did.span(rules)
    window = slice(span.start, span.stop)
    for kind in kinds:
        for person, count in zip(did.people[window], did.counts[kind][window], strict=True):
            counted[person] += count
    return counted


def _on_board(groups: Groups, ties: TieBreak, rules: Rules, counted: list[int]) -> list[int]:
    kinds = groups.kinds
    match rules.bots:
        case "include":
            return [group for group in ties.order if counted[group] > 0]
        case "exclude":
            return [group for group in ties.order if counted[group] > 0 and kinds[group] == "human"]
    return [group for group in ties.order if counted[group] > 0 and kinds[group] != "human"]


def dated(rules: Rules) -> list[int]:
    """The indexes into :data:`podium.leaderboard.people.DATED` of what the rules count."""
    return [
        column
        for column, what in enumerate(DATED)
        if what == "commit" or (what == "merge" and rules.merges) or (what == "co_authored" and rules.co_authors)
    ]


def _first(people: People, groups: Groups, rules: Rules) -> list[int]:
    first = [_NEVER] * len(groups.members)
    for column in dated(rules):
        for group, when in zip(groups.of, people.first[column], strict=True):
            if when is not None and when < first[group]:
                first[group] = when
    return first


def _tie(groups: Groups, accounts: Accounts, first: list[int], group: int) -> tuple[int, bool, int, str]:
    owner = groups.owners[group]
    account = None if owner is None else accounts.contributors[owner]["account_id"]
    return first[group], account is None, account or 0, groups.identities[group]
