"""The charts of the pages as template values: commits of people, AI and bots, of one person, or of several series.

`templates/_chart.html` draws them.
"""

from __future__ import annotations

import dataclasses
import itertools
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Literal

from podium.leaderboard.counts.timeline import Timeline, drawn
from podium.leaderboard.rules import Rules
from podium.timeutil import DAY, iso_day
from podium.web.charts import shapes
from podium.web.charts.periods import Periods, periods_of
from podium.web.charts.scale import Scale, scale_of
from podium.web.charts.shapes import HEIGHT, SLOT, silhouette
from podium.web.charts.time_labels import Label, labels_of

Kind = Literal["stack", "lines", "groups"]

STRIP_HEIGHT = 28
# Most periods that show several series as bars side by side.
_GROUPED = 12

# Before and after every day, in days since the epoch.
_EVER = (-(2**31), 2**31)

_NAMES = ("people", "ai", "bots")
_WORDS = ("People", "AI declared", "Bots")


@dataclasses.dataclass(frozen=True, slots=True)
class Series:
    """The counts of each period.

    Attributes:
        name: the class that gives the color: ``people``, ``ai``, ``bots``, or ``series-1`` to ``series-6``.
        path: in a picture of ``Chart.box``.
    """

    name: str
    words: str
    counts: list[int]
    path: str = ""

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclasses.dataclass(frozen=True, slots=True)
class Strip:
    """The whole history beneath a window of it.

    Attributes:
        path: in a picture as wide as its periods.
        window: where the window begins and ends, in percent.
    """

    periods: Periods
    path: str
    window: tuple[float, float]


@dataclasses.dataclass(frozen=True, slots=True)
class Chart:
    """The values of a chart.

    Attributes:
        left_out: commits of the window with dates too far off to draw.
        strip: None if the chart shows the whole history.
        is_empty: no commit is in the window.
    """

    kind: Kind
    periods: Periods
    series: list[Series]
    scale: Scale
    labels: list[Label]
    left_out: int = 0
    strip: Strip | None = None
    is_empty: bool = False

    @property
    def box(self) -> str:
        return f"0 0 {SLOT * len(self.periods)} {HEIGHT}"

    @property
    def per(self) -> str:
        return f"per {self.periods.step.name}"

    @property
    def totals(self) -> list[int]:
        """The commits of each period, in all series."""
        return [sum(counts) for counts in zip(*(each.counts for each in self.series), strict=True)]

    @property
    def total(self) -> int:
        return sum(self.totals)

    @property
    def rows(self) -> list[tuple[str, int, list[int]]]:
        """The text, the sum and the counts of each period."""
        counts = zip(*(each.counts for each in self.series), strict=True)
        return [(words, sum(each), list(each)) for words, each in zip(self.periods.words(), counts, strict=True)]

    @property
    def summary(self) -> str:
        """What the picture shows, in a sentence."""
        words, counts, days = self.periods.words(), self.totals, self.periods.days
        start = f"Commits {self.per}, {days[0]} to {iso_day((self.periods.edges[-1] - 1) * DAY)}"
        if self.kind != "stack":
            return f"{start}. {'; '.join(f'{each.words}: {each.total:,}' for each in self.series)}."
        place = max(range(len(counts)), key=counts.__getitem__)
        return f"{start}: {self.total:,} in all, at most {counts[place]:,}, in {words[place]}."


def chart_of(line: Timeline, rules: Rules, latest: int | None = None, *, scale: Scale | None = None) -> Chart | None:
    """The commits of people, AI and bots in the window, or in the whole history; None if there is nothing to draw.

    Args:
        latest: the day of the count, in days since the epoch.
        scale: another chart's; by default that of the highest count.
    """
    if line.ends is None:
        return None
    first, end = line.ends[0], line.ends[1] + 1
    whole = periods_of(first, end, latest=latest)
    sums = [list(itertools.accumulate(counts, initial=0)) for counts in (line.human, line.ai, line.bot)]
    if not rules.windowed:
        return _stack(line.days, sums, whole, _EVER, scale)
    window = (
        _EVER[0] if rules.since is None else rules.since // DAY,
        _EVER[1] if rules.until is None else rules.until // DAY,
    )
    strip, shown = _strip(line.days, sums, whole, window), _shown(line, (first, end), window)
    if shown is None:
        nothing = [[0] * len(each) for each in sums]
        return dataclasses.replace(_stack(line.days, nothing, whole, window), strip=strip, is_empty=True)
    periods = periods_of(*shown, whole=(shown[0] > window[0], shown[1] < window[1]), latest=latest)
    return dataclasses.replace(_stack(line.days, sums, periods, window, scale), strip=strip)


def lines_of(
    named: Sequence[tuple[str, Mapping[int, int]]], *, latest: int | None = None, scale: Scale | None = None
) -> Chart | None:
    """Several series on one axis: lines, or bars side by side if the periods are few. None if all are empty.

    Args:
        named: the words of each series, and its counts by day since the epoch. There are colors for six.
        scale: by default that of the highest count.
    """
    days = sorted({day for _, counts in named for day, count in counts.items() if count})
    if not days:
        return None
    return series_on(periods_of(days[0], days[-1] + 1, latest=latest), named, scale=scale)


def series_on(periods: Periods, named: Sequence[tuple[str, Mapping[int, int]]], *, scale: Scale | None = None) -> Chart:
    """Series on given periods, those of a board's chart for example; one alone has the color of people."""
    found = [_by_period(periods, counts) for _, counts in named]
    scale = scale or scale_of(max(itertools.chain.from_iterable(found), default=0))
    kind: Kind = "stack" if len(named) == 1 else "groups" if len(periods) <= _GROUPED else "lines"
    if kind == "lines":
        paths = [shapes.line(counts, scale.top) for counts in found]
    else:
        paths = (shapes.stacked if kind == "stack" else shapes.grouped)(found, scale.top)
    names = ["people"] if kind == "stack" else [f"series-{number}" for number in range(1, len(named) + 1)]
    series = [
        Series(name, words, counts, path)
        for name, (words, _), counts, path in zip(names, named, found, paths, strict=True)
    ]
    return Chart(kind, periods, series, scale, labels_of(periods))


def _by_period(periods: Periods, counts: Mapping[int, int]) -> list[int]:
    days = sorted(counts)
    sums = list(itertools.accumulate((counts[day] for day in days), initial=0))
    return _between(days, sums, periods.edges)


def _between(days: Sequence[int], sums: Sequence[int], edges: Sequence[int]) -> list[int]:
    """The counts between adjacent edges; ``sums`` are those before each day, plus the sum of all."""
    places = [bisect_left(days, edge) for edge in edges]
    return [sums[high] - sums[low] for low, high in itertools.pairwise(places)]


def _stack(
    days: Sequence[int],
    sums: Sequence[Sequence[int]],
    periods: Periods,
    window: tuple[int, int],
    scale: Scale | None = None,
) -> Chart:
    counts = [_between(days, each, periods.edges) for each in sums]
    totals = [sum(each) for each in zip(*counts, strict=True)]
    scale = scale or scale_of(max(totals))
    paths = shapes.stacked(counts, scale.top)
    series = [Series(*each) for each in zip(_NAMES, _WORDS, counts, paths, strict=True)]
    left_out = sum(_between(days, each, window)[0] for each in sums) - sum(totals)
    return Chart("stack", periods, series, scale, labels_of(periods), left_out=left_out)


def _strip(days: Sequence[int], sums: Sequence[Sequence[int]], periods: Periods, window: tuple[int, int]) -> Strip:
    counts = [sum(each) for each in zip(*(_between(days, each, periods.edges) for each in sums), strict=True)]
    low, high = (periods.place(day) for day in window)
    path = silhouette(counts, max(counts), STRIP_HEIGHT)
    return Strip(periods, path, (low, max(low, high)))


def _shown(line: Timeline, whole: tuple[int, int], window: tuple[int, int]) -> tuple[int, int] | None:
    """The days of a window that the chart shows; None if no commit is in the window."""
    places = slice(*(bisect_left(line.days, bound) for bound in window))
    totals = [sum(day) for day in zip(line.human[places], line.ai[places], line.bot[places], strict=True)]
    ends = drawn(line.days[places], totals)
    if ends is None:
        return None
    if ends[1] < whole[0] or ends[0] >= whole[1]:
        # The chart of the whole history leaves these commits out.
        return ends[0], ends[1] + 1
    return max(window[0], whole[0]), min(window[1], whole[1])
