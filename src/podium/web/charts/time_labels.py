"""The labels of a chart's time: as many as fit its width, which the style sheet knows and the server does not.

So the labels of several widths are drawn, and each one has the classes of those widths at which it shows.
"""

from __future__ import annotations

import dataclasses
import datetime
import itertools
from collections.abc import Iterator

from podium.timeutil import DAY, iso_day, week_number
from podium.web.charts.periods import Periods, month_of

# The widths at which `chart.css` changes the labels, by their class: that of the plot in rem, at least.
_WIDTHS = {"w1": 12.0, "w2": 17.0, "w3": 28.0, "w4": 44.0}
# In rem: a character of a label, the gap between two, and what may stand out on the left and on the right.
_CHARACTER = 0.45
_GAP = 0.8
_LEFT, _RIGHT = 2.4, 0.9
_MONTHS = (1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12000)


@dataclasses.dataclass(frozen=True, slots=True)
class Label:
    """``place`` is in percent; ``widths`` are the classes of the widths at which it shows."""

    place: float
    words: str
    widths: str


def labels_of(periods: Periods) -> list[Label]:
    found: dict[tuple[int, str], list[str]] = {}
    number, choices = len(periods), [choice for choice in _choices(periods) if choice]
    for name, width in _WIDTHS.items():
        slot = width / number
        chosen = next((choice for choice in choices if _fits(choice, slot)), choices[-1][:1])
        for place, words in chosen:
            # A label at the end would be cut off.
            if len(chosen) == 1 or slot * (place + 0.5) + _half(words) <= width + _RIGHT:
                found.setdefault((place, words), []).append(name)
    return [
        Label(round(100 * (place + 0.5) / number, 2), words, " ".join(widths))
        for (place, words), widths in sorted(found.items())
    ]


def _choices(periods: Periods) -> Iterator[list[tuple[int, str]]]:
    """From many labels to few, each with its place."""
    starts, step = periods.starts(), periods.step
    before = step.start(periods.first - 1)
    if step.days == 1:
        for every in (1, 2, 3):
            yield _days(list(enumerate(starts))[::every])
        weeks = [week_number(day * DAY) for day in (before, *starts)]
        for every in (1, 2):
            yield _days([(place, starts[place]) for place in _changes([week // every for week in weeks])])
    if step.days == 7:
        yield _days(list(enumerate(starts)))
    months = [month_of(day) for day in (before, *starts)]
    for every in _MONTHS:
        if every >= step.months:
            places = _changes([month // every for month in months])
            yield _months([(place, months[place + 1]) for place in places], whole_years=every % 12 == 0)
    yield [(0, step.words(starts[0]))]


def _changes(numbers: list[int]) -> list[int]:
    return [place for place, (then, now) in enumerate(itertools.pairwise(numbers)) if then != now]


def _days(days: list[tuple[int, int]]) -> list[tuple[int, str]]:
    """The first of each year names the year."""
    found: list[tuple[int, str]] = []
    years: set[int] = set()
    for place, day in days:
        date = datetime.date.fromisoformat(iso_day(day * DAY))
        found.append((place, f"{date.day} {date:%b}" + ("" if date.year in years else f" {date.year}")))
        years.add(date.year)
    return found


def _months(months: list[tuple[int, int]], *, whole_years: bool) -> list[tuple[int, str]]:
    """The first label and each January name the year."""
    found: list[tuple[int, str]] = []
    for place, month in months:
        year, number = divmod(month, 12)
        words = f"{datetime.date(2000, number + 1, 1):%b}"
        if whole_years or number == 0:
            words = str(year)
        elif not found:
            words += f" {year}"
        found.append((place, words))
    return found


def _fits(labels: list[tuple[int, str]], slot: float) -> bool:
    if slot * (labels[0][0] + 0.5) - _half(labels[0][1]) < -_LEFT:
        return False
    return all(
        (place - before) * slot >= _half(words) + _half(words_before) + _GAP
        for (before, words_before), (place, words) in itertools.pairwise(labels)
    )


def _half(words: str) -> float:
    return len(words) * _CHARACTER / 2
