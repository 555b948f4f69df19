"""The ranking of a repository's people under rules. Pure.

Who is on the board for as many commits as another comes first who began earlier; of those who began in the same second
accounts come first, by their number, then the others by e-mail.
"""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Callable

from podium.leaderboard.grouping import Accounts, Groups
from podium.leaderboard.people import DATED, Activity, People, kinds_counted
from podium.leaderboard.rules import Rules

# Later than any date: a group that never did anything of what counts.
_NEVER = 2**62


@dataclasses.dataclass(frozen=True, slots=True)
class Seniority:
    """Who comes first of those who count the same, which no window changes.

    Attributes:
        first: when each group began to do what counts, over all of history.
        order: all groups, in the order of ties.
    """

    first: list[int]
    order: array[int]

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 45 * len(self.first)


@dataclasses.dataclass(frozen=True, slots=True)
class Standings:
    """A ranked board.

    Attributes:
        order: the groups on the board, best first.
        ranks: the rank of each group, from 1; 0 where it is not on the board.
        counted: what each group counts under the rules, on the board or not.
        by_person: the same for each row of :class:`People`.
        total: the commits of all groups on the board.
    """

    order: array[int]
    ranks: array[int]
    counted: list[int]
    by_person: list[int]
    total: int

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 30 * len(self.by_person) + 60 * len(self.ranks)


def seniority(people: People, accounts: Accounts, groups: Groups, rules: Rules) -> Seniority:
    """Find out who began when, with what the rules count."""
    first = _first(people, groups, rules)
    order = sorted(range(len(first)), key=lambda number: _tie(groups, accounts, first, number))
    return Seniority(first, array("i", order))


def rank(
    people: People, groups: Groups, seniors: Seniority, rules: Rules, activity: Callable[[], Activity]
) -> Standings:
    """Rank the groups under ``rules``; ``activity`` is asked for only where there is a window."""
    by_person = person_counts(people, rules, activity)
    counted = group_sums(groups, by_person)
    ranked = _on_board(groups, seniors, rules, counted)
    ranked.sort(key=counted.__getitem__, reverse=True)
    ranks = array("i", bytes(4 * len(counted)))
    for place, number in enumerate(ranked, start=1):
        ranks[number] = place
    return Standings(array("i", ranked), ranks, counted, by_person, sum(map(counted.__getitem__, ranked)))


def person_counts(people: People, rules: Rules, activity: Callable[[], Activity]) -> list[int]:
    """What each row of ``people`` counts under ``rules``."""
    kinds = kinds_counted(rules)
    if not rules.windowed:
        columns = [people.counts[kind] for kind in kinds]
        return list(map(sum, zip(*columns, strict=True))) if len(columns) > 1 else list(columns[0])
    counted = [0] * len(people.ids)
    did = activity()
    span = did.span(rules)
    places = slice(span.start, span.stop)
    for kind in kinds:
        for person, count in zip(did.people[places], did.counts[kind][places], strict=True):
            counted[person] += count
    return counted


def group_sums(groups: Groups, by_person: list[int]) -> list[int]:
    """The sum of each group."""
    sums = [0] * len(groups.members)
    for number, count in zip(groups.of, by_person, strict=True):
        sums[number] += count
    return sums


def _on_board(groups: Groups, seniors: Seniority, rules: Rules, counted: list[int]) -> list[int]:
    """The groups that the rules rank, in the order of ties."""
    kinds = groups.kinds
    match rules.bots:
        case "include":
            return [number for number in seniors.order if counted[number] > 0]
        case "exclude":
            return [number for number in seniors.order if counted[number] > 0 and kinds[number] == "human"]
    return [number for number in seniors.order if counted[number] > 0 and kinds[number] != "human"]


def dated(rules: Rules) -> list[int]:
    """Which of :data:`DATED` the rules count."""
    return [
        place
        for place, what in enumerate(DATED)
        if what == "commit" or (what == "merge" and rules.merges) or (what == "co_authored" and rules.co_authors)
    ]


def _first(people: People, groups: Groups, rules: Rules) -> list[int]:
    first = [_NEVER] * len(groups.members)
    for column in dated(rules):
        for number, when in zip(groups.of, people.first[column], strict=True):
            if when is not None and when < first[number]:
                first[number] = when
    return first


def _tie(groups: Groups, accounts: Accounts, first: list[int], number: int) -> tuple[int, bool, int, str]:
    owner = groups.owners[number]
    account = None if owner is None else accounts.contributors[owner]["account_id"]
    return first[number], account is None, account or 0, groups.identities[number]


def half(standings: Standings) -> int:
    """How many people, the most active first, make half of the commits or more; 0 of an empty board."""
    so_far = 0
    for place, number in enumerate(standings.order, start=1):
        so_far += standings.counted[number]
        if 2 * so_far >= standings.total:
            return place
    return 0


def new_people(standings: Standings, seniors: Seniority, since: int | None, until: int | None) -> int:
    """How many on the board did their first commit from ``since`` on and before ``until``."""
    low = -_NEVER if since is None else since
    high = _NEVER if until is None else until
    return sum(low <= seniors.first[number] < high for number in standings.order)
