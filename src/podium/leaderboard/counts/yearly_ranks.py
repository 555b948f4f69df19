"""The ranks of each calendar year (UTC), as the boards of these windows have them."""

from __future__ import annotations

import dataclasses
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter

from podium.leaderboard.board_data import Ranked
from podium.leaderboard.counts.row_counts import counted_dates
from podium.leaderboard.ranking import is_ranked
from podium.timeutil import year_of, year_start


@dataclasses.dataclass(frozen=True, slots=True)
class YearlyRanks:
    """The groups on the board of each year, best first, with their counted commits; years without any are left out."""

    groups: dict[int, array[int]]
    counts: dict[int, array[int]]

    @property
    def size(self) -> int:
        return sum(300 + 8 * len(those) for those in self.groups.values())


@dataclasses.dataclass(frozen=True, slots=True)
class RankOfYear:
    """The rank of a row in a year, its counted commits, and the rows on the board of that year."""

    rank: int
    commits: int
    of: int


def ranks_by_year(ranked: Ranked, group: int) -> dict[int, RankOfYear]:
    """A row's rank in each year with counted commits, under the board's rules without its window.

    Everyone is ranked, new or not. A year costs two searches for each person with commits in it.
    """
    rules = ranked.rules
    key = ("yearly_ranks", *rules.joining, rules.merges, rules.co_authors, rules.bots)
    years = ranked.data.part(key, lambda: _rank(ranked), usual=ranked.usual_joining)
    found = {}
    for year, groups in years.groups.items():
        if group in groups:
            place = groups.index(group)
            found[year] = RankOfYear(place + 1, years.counts[year][place], len(groups))
    return found


def _rank(ranked: Ranked) -> YearlyRanks:
    since, until = ranked.log.ordinary
    first = year_of(since)
    starts = array("q", [year_start(year) for year in range(first, year_of(until - 1) + 2)])
    by_year: list[Counter[int]] = [Counter() for _ in starts]
    kinds = ranked.groups.kinds
    # Groups are in the order of ties, which a stable sort keeps.
    for group in ranked.tie_break.order:
        if is_ranked(kinds[group], ranked.rules):
            for dates in counted_dates(ranked, group, ranked.log.ordinary):
                _add(by_year, starts, group, dates)
    found = YearlyRanks({}, {})
    for place, counts in enumerate(by_year):
        if counts:
            ordered = sorted(counts.items(), key=lambda row: -row[1])
            found.groups[first + place] = array("i", (group for group, _ in ordered))
            found.counts[first + place] = array("i", (count for _, count in ordered))
    return found


def _add(by_year: list[Counter[int]], starts: array[int], group: int, dates: array[int]) -> None:
    low = 0
    while low < len(dates):
        place = bisect_right(starts, dates[low]) - 1
        # Most people have all of their commits in one year.
        high = len(dates) if dates[-1] < starts[place + 1] else bisect_left(dates, starts[place + 1], low)
        by_year[place][group] += high - low
        low = high
