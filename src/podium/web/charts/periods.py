"""Days, weeks, months, quarters and years: the periods of a chart."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import itertools
from bisect import bisect_right

from podium.timeutil import DAY, iso_day, week_number, week_start

# Most periods of a chart: on the narrowest screen each still has more than two pixels.
MOST = 96

_EPOCH = datetime.date(1970, 1, 1).toordinal()
# The calendar repeats after this many years and days.
_CYCLE = (400, 146_097)


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """The length of periods, in days or in months; days and months are counted from the epoch and from the year 0."""

    name: str
    days: int = 0
    months: int = 0

    def index(self, day: int) -> int:
        """The number of the period that contains a day."""
        if self.months:
            return month_of(day) // self.months
        return week_number(day * DAY) if self.days == 7 else day

    def start(self, index: int) -> int:
        """The first day of a period."""
        if self.months:
            return month_start(index * self.months)
        return week_start(index) // DAY if self.days == 7 else index

    def words(self, day: int) -> str:
        """The period that begins on a day."""
        if self.days:
            return f"week of {iso_day(day * DAY)}" if self.days == 7 else iso_day(day * DAY)
        year, month = divmod(month_of(day), 12)
        match self.months:
            case 1:
                return f"{datetime.date(2000, month + 1, 1):%b} {year}"
            case 3:
                return f"Q{month // 3 + 1} {year}"
            case 12:
                return str(year)
        return f"{year} to {year + self.months // 12 - 1}"


STEPS = (
    Step("day", days=1),
    Step("week", days=7),
    Step("month", months=1),
    Step("quarter", months=3),
    Step("year", months=12),
    *(Step(f"{years} years", months=12 * years) for years in (2, 5, 10, 20, 50, 100, 200)),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Periods:
    """Adjacent periods of one length.

    Attributes:
        first: the number of the first period.
        edges: the first day of each, plus the day after the last. A window may cut the first and the last one short.
        latest: the last day of which something is known.
    """

    step: Step
    first: int
    edges: list[int]
    latest: int | None = None

    def __len__(self) -> int:
        return len(self.edges) - 1

    def words(self) -> list[str]:
        """The text of each period, with its bounds if it is not whole."""
        return [self._words(place, low, high) for place, (low, high) in enumerate(itertools.pairwise(self.edges))]

    def starts(self) -> list[int]:
        """The first day of each period, as if it were whole."""
        return [self.step.start(self.first + place) for place in range(len(self))]

    def place(self, day: int) -> float:
        """Where a day begins, in percent."""
        day = min(max(day, self.edges[0]), self.edges[-1])
        index = min(bisect_right(self.edges, day), len(self)) - 1
        low, high = self.edges[index], self.edges[index + 1]
        return round(100 * (index + (day - low) / (high - low)) / len(self), 3)

    @property
    def days(self) -> tuple[str, ...]:
        """The edges as ISO days."""
        return tuple(iso_day(edge * DAY) for edge in self.edges)

    def _words(self, place: int, low: int, high: int) -> str:
        start, end = (self.step.start(self.first + place + more) for more in (0, 1))
        words = self.step.words(start)
        if low > start and high < end:
            return f"{iso_day(low * DAY)} to {iso_day((high - 1) * DAY)}"
        if low > start:
            return f"{words}, from {iso_day(low * DAY)}"
        if high < end:
            return f"{words}, to {iso_day((high - 1) * DAY)}"
        if self.latest is not None and low <= self.latest < high - 1:
            return f"{words}, so far"
        return words


def periods_of(
    low: int, high: int, *, whole: tuple[bool, bool] = (True, True), latest: int | None = None, most: int = MOST
) -> Periods:
    """The shortest periods of which at most ``most`` cover the days from ``low`` to ``high``, the day after the last.

    Args:
        whole: of the first and the last period, whether it is whole, and not cut short.
        latest: the last day of which something is known.
    """
    for step in STEPS:
        first, last = step.index(low), step.index(high - 1)
        if last - first < most:
            break
    edges = [step.start(index) for index in range(first, last + 2)]
    if not whole[0]:
        edges[0] = low
    if not whole[1]:
        edges[-1] = high
    return Periods(step, first, edges, latest)


def month_of(day: int) -> int:
    """The month of a day, counted from January of the year 0."""
    years, days = _CYCLE
    cycles, rest = divmod(day + _EPOCH - 1, days)
    date = datetime.date.fromordinal(rest + 1)
    return (date.year + years * cycles) * 12 + date.month - 1


@functools.lru_cache(4096)
def month_start(month: int) -> int:
    """The first day of a month."""
    years, days = _CYCLE
    year, number = divmod(month, 12)
    cycles, rest = divmod(year - 1, years)
    return datetime.date(rest + 1, number + 1, 1).toordinal() - _EPOCH + cycles * days
