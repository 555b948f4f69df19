"""The commits of each person and calendar year. Pure."""

from __future__ import annotations

import dataclasses
import itertools
from array import array
from bisect import bisect_left, bisect_right

from podium.leaderboard.counts.commit_log import CommitLog
from podium.timeutil import year_of, year_start

FIRST_YEAR = 1970


@dataclasses.dataclass(frozen=True, slots=True)
class YearRuns:
    """The commits of one person in one year, without dates that cannot be true. The columns are parallel.

    Attributes:
        keys: 2 * person, plus 1 for merges.
        years: since 1970.
    """

    keys: array[int]
    years: array[int]
    counts: array[int]

    @property
    def size(self) -> int:
        return 10 * len(self.keys)


def year_beginnings(log: CommitLog) -> list[int]:
    """When the years from 1970 to that of the count begin, and the next one: dates after those cannot be true."""
    return [year_start(year) for year in range(FIRST_YEAR, year_of(log.ordinary[1]) + 2)]


def year_runs(log: CommitLog) -> YearRuns:
    keys, years, counts = array("I"), array("H"), array("I")
    since, until = log.ordinary
    begins, dates = year_beginnings(log), log.dates
    for key, (start, end) in enumerate(itertools.pairwise(log.starts)):
        if start == end:
            continue
        low = start if dates[start] >= since else bisect_left(dates, since, start, end)
        high = end if dates[end - 1] < until else bisect_left(dates, until, start, end)
        while low < high:
            year = bisect_right(begins, dates[low]) - 1
            # Most people have commits in one year only.
            after = high if dates[high - 1] < begins[year + 1] else bisect_left(dates, begins[year + 1], low, high)
            keys.append(key)
            years.append(year)
            counts.append(after - low)
            low = after
    return YearRuns(keys, years, counts)
