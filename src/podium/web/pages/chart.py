"""The chart of commits over time, as numbers and SVG paths.

The bars are stretched to the page's width. Labels and the selected window must not be, so their positions are percent.
"""

from __future__ import annotations

import dataclasses
import datetime

from podium.leaderboard.counts.timeline import Timeline, drawn
from podium.leaderboard.rules import Rules
from podium.timeutil import WEEK, iso_day, week_start

HEIGHT = 100
# Most bars, and possible weeks per bar.
_BARS = 240
_WEEKS = (1, 2, 4, 6, 8, 13, 26, 52, 520, 5200, 52000)
# Most labels, and possible months between two.
_LABELS = 9
_MONTHS = (1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12000)


@dataclasses.dataclass(frozen=True, slots=True)
class Chart:
    """The values of a chart.

    Attributes:
        first: the first day, a Sunday.
        people, ai, bots: the commits of each bar.
        labels: (position, text).
        window: (start, width) of the selected window, in percent like positions.
        left_out: commits with dates too far off to draw.
    """

    first: str
    weeks: int
    weeks_a_bar: int
    people: list[int]
    ai: list[int]
    bots: list[int]
    people_path: str
    ai_path: str
    all_path: str
    labels: list[tuple[float, str]]
    window: tuple[float, float]
    peak: int
    left_out: int


def chart_of(line: Timeline, rules: Rules) -> Chart | None:
    """None if there is nothing to draw."""
    ends = drawn(line)
    if ends is None:
        return None
    first, last = ends
    weeks = last - first + 1
    width = next(width for width in _WEEKS if weeks <= width * _BARS or width == _WEEKS[-1])
    bars = -(-weeks // width)
    people, declared, bots, left_out = [0] * bars, [0] * bars, [0] * bars, 0
    for week, human, bot, ai in zip(line.weeks, line.human, line.bot, line.ai, strict=True):
        if first <= week <= last:
            place = (week - first) // width
            people[place] += human
            declared[place] += ai
            bots[place] += bot
        else:
            left_out += human + bot + ai
    with_ai = [a + b for a, b in zip(people, declared, strict=True)]
    totals = [a + b for a, b in zip(with_ai, bots, strict=True)]
    peak = max(totals)
    return Chart(
        first=iso_day(week_start(first)),
        weeks=weeks,
        weeks_a_bar=width,
        people=people,
        ai=declared,
        bots=bots,
        people_path=bars_path(people, peak, HEIGHT),
        ai_path=bars_path(with_ai, peak, HEIGHT),
        all_path=bars_path(totals, peak, HEIGHT),
        labels=_labels(first, bars * width),
        window=_window(first, bars * width, rules),
        peak=peak,
        left_out=left_out,
    )


def bars_path(counts: list[int], peak: int, height: int, *, root: bool = False) -> str:
    """The SVG path of adjacent bars of width 1.

    Args:
        root: draw square roots, so that small counts stay visible.
    """
    parts, level = [f"M0 {height}"], height
    for place, count in enumerate(counts):
        part = min(count / peak, 1.0) if peak else 0.0
        y = height - round(height * (part**0.5 if root else part))
        # A count of 1 stays visible.
        y = min(y, height - 1) if count else height
        if y != level:
            parts.append(f"{'H' + str(place) if place else ''}V{y}")
            level = y
    parts.append(f"H{len(counts)}V{height}Z")
    return "".join(parts)


def _window(first: int, weeks: int, rules: Rules) -> tuple[float, float]:
    begin = week_start(first)
    low = 0.0 if rules.since is None else (rules.since - begin) / WEEK
    high = float(weeks) if rules.until is None else (rules.until - begin) / WEEK
    low, high = (min(max(bound, 0.0), float(weeks)) for bound in (low, high))
    return round(100 * low / weeks, 3), round(100 * max(high - low, 0) / weeks, 3)


def _labels(first: int, weeks: int) -> list[tuple[float, str]]:
    begin = _date(first)
    months = weeks * 7 / 30.44
    step = next((step for step in _MONTHS if months / step <= _LABELS), _MONTHS[-1])
    count = begin.year * 12 + begin.month - 1
    count += -count % step
    found = []
    while count // 12 <= datetime.MAXYEAR:
        day = datetime.date(count // 12, count % 12 + 1, 1)
        place = (day - begin).days / 7 / weeks
        # A label at the end would be cut off.
        if place > 0.95:
            break
        if place >= 0:
            found.append((round(100 * place, 3), f"{day:%b %Y}" if step % 12 else str(day.year)))
        count += step
    return found


def _date(week: int) -> datetime.date:
    return datetime.date.fromisoformat(iso_day(week_start(week)))
