"""The bus factor: the smallest number of people who together made at least half of the commits, year by year."""

from __future__ import annotations

import dataclasses
import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from podium.leaderboard.board_data import Ranked
from podium.leaderboard.counts.year_runs import FIRST_YEAR, year_beginnings
from podium.leaderboard.ranking import is_ranked
from podium.timeutil import DAY, year_of


@dataclasses.dataclass(frozen=True, slots=True)
class BusFactors:
    """The bus factor of each year.

    Attributes:
        years: (year, bus factor, people); years without a counted commit and the chart's stray dates are left out.
    """

    years: list[tuple[int, int, int]]

    @property
    def size(self) -> int:
        return 200 * len(self.years)


def bus_factors(ranked: Ranked) -> BusFactors:
    """The bus factors of all of history: neither the window nor ``new`` changes them."""
    rules = ranked.rules
    key = ("bus_factors", *rules.joining, rules.merges, rules.co_authors, rules.bots)
    return ranked.data.part(key, lambda: _bus_factors(ranked), usual=ranked.usual_joining)


def half_of(counts: Iterable[int]) -> int:
    """How many of the largest ``counts`` make at least half of their sum."""
    largest = sorted(counts, reverse=True)
    return bisect_left(list(itertools.accumulate(largest)), sum(largest) / 2) + 1 if largest else 0


def _bus_factors(ranked: Ranked) -> BusFactors:
    groups, rules = ranked.groups, ranked.rules
    runs = ranked.data.year_runs
    ends = ranked.timeline.ends
    if ends is None:
        return BusFactors([])
    first, last = year_of(ends[0] * DAY), year_of(ends[1] * DAY)
    found: list[dict[int, int]] = [{} for _ in range(last - FIRST_YEAR + 1)]
    is_on_board = [is_ranked(kind, rules) for kind in groups.kinds]
    of = groups.of
    for key, year, count in zip(runs.keys, runs.years, runs.counts, strict=True):
        if (key & 1 and not rules.merges) or year >= len(found):
            continue
        group = of[key >> 1]
        if is_on_board[group]:
            counts = found[year]
            counts[group] = counts.get(group, 0) + count
    for group, year in _credited(ranked) if rules.co_authors else ():
        if is_on_board[group] and year < len(found):
            found[year][group] = found[year].get(group, 0) + 1
    years = enumerate(found, start=FIRST_YEAR)
    return BusFactors(
        [(year, half_of(counts.values()), len(counts)) for year, counts in years if counts and year >= first]
    )


def _credited(ranked: Ranked) -> Iterator[tuple[int, int]]:
    """A group and a year for each commit that credits a co-author."""
    log, named = ranked.log, ranked.log.named
    begins = year_beginnings(log)
    for entry, groups in enumerate(ranked.credits.credited):
        if groups and (ranked.rules.merges or not named.is_merge[entry]):
            for when in named.within(entry, log.ordinary):
                year = bisect_right(begins, when) - 1
                for group in groups:
                    yield group, year
