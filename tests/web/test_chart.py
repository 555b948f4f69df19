"""The chart of commits over time, as paths and percentages."""

from __future__ import annotations

import datetime

import pytest

from podium.leaderboard.counts.timeline import Timeline
from podium.leaderboard.rules import Rules
from podium.timeutil import DAY, week_number
from podium.web.pages.chart import bars_path, chart_of
from tests.support.boards import at


def line(*weeks: tuple[str, int, int], ai: int = 0) -> Timeline:
    """Weeks by their Sunday, with what people and bots did; each has ``ai`` commits with declared AI."""
    numbers = [week_number(at(day)) for day, _, _ in weeks]
    people, bots = [people for _, people, _ in weeks], [bots for _, _, bots in weeks]
    return Timeline(numbers, people, bots, [ai] * len(weeks))


def test_each_week_has_a_bar_with_people_in_front_of_ai_and_bots() -> None:
    chart = chart_of(line(("2024-01-07", 3, 1), ("2024-01-21", 2, 0), ai=1), Rules())
    assert chart is not None
    assert (chart.first, chart.weeks, chart.weeks_a_bar, chart.peak) == ("2024-01-07", 3, 1, 5)
    assert (chart.people, chart.ai, chart.bots) == ([3, 0, 2], [1, 0, 1], [1, 0, 0])
    assert chart.people_path == "M0 100V40H1V100H2V60H3V100Z"
    assert chart.ai_path == "M0 100V20H1V100H2V40H3V100Z"
    assert chart.all_path == "M0 100V0H1V100H2V40H3V100Z"
    assert chart.window == (0, 100)


def test_nothing_is_not_drawn() -> None:
    assert chart_of(line(), Rules()) is None


def test_long_histories_have_bars_of_several_weeks() -> None:
    chart = chart_of(line(("2004-11-21", 1, 0), ("2026-08-16", 1, 0)), Rules())
    assert chart is not None
    assert chart.weeks_a_bar > 1
    assert 100 <= len(chart.people) <= 240
    assert sum(chart.people) == 2
    assert [words for _, words in chart.labels] == ["2005", "2010", "2015", "2020", "2025"]


@pytest.mark.parametrize("first", ["0001-01-07", "1969-12-28", "1970-01-04"])
def test_every_year_there_is_can_be_drawn(first: str) -> None:
    chart = chart_of(line((first, 1, 0), ("9999-12-26", 1, 0)), Rules())
    assert chart is not None
    assert chart.first == first
    assert all(0 <= place <= 100 for place, _ in chart.labels)
    assert 1 <= len(chart.labels) <= 10


def test_commits_of_wrong_clocks_are_counted_apart() -> None:
    weeks = [((datetime.date(2024, 1, 7) + datetime.timedelta(7 * n)).isoformat(), 500, 0) for n in range(10)]
    chart = chart_of(line(("1970-01-04", 2, 0), *weeks), Rules())
    assert chart is not None
    assert (chart.first, chart.left_out, chart.weeks) == ("2024-01-07", 2, 10)


def test_the_window_is_shown_in_percent_and_ends_with_the_picture() -> None:
    weeks = [((datetime.date(2024, 1, 7) + datetime.timedelta(7 * n)).isoformat(), 1, 0) for n in range(10)]

    def window(since: str | None, until: str | None) -> tuple[float, float]:
        chart = chart_of(line(*weeks), Rules.parse(since=since, until=until))
        assert chart is not None
        return chart.window

    assert window("2024-01-14", "2024-01-27") == (10, 20)
    assert window(None, "2024-01-13") == (0, 10)
    assert window("2000-01-01", None) == (0, 100)
    assert window("2030-01-01", None) == (100, 0)
    assert window(None, "2000-01-01") == (0, 0)


def test_whatever_is_not_nothing_can_be_seen() -> None:
    assert bars_path([1, 0, 10_000], 10_000, 20) == "M0 20V19H1V20H2V0H3V20Z"
    assert bars_path([25, 100], 100, 20, root=True) == "M0 20V10H1V0H2V20Z"
    assert bars_path([0, 0], 0, 20) == "M0 20H2V20Z"
    # A value above the scale of the first rows is cut off at the top.
    assert bars_path([5], 4, 20) == "M0 20V0H1V20Z"


def test_weeks_are_numbered_from_the_one_of_the_epoch() -> None:
    assert [week_number(seconds) for seconds in (-4 * DAY, 3 * DAY, 10 * DAY)] == [0, 1, 2]
