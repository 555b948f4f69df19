"""The charts of the pages as numbers, labels and paths."""

from __future__ import annotations

import datetime
import itertools
import random
import re

import pytest

from podium.leaderboard.counts.timeline import Timeline
from podium.leaderboard.rules import Rules
from podium.timeutil import DAY, iso_day
from podium.web.charts.periods import MOST, Periods, month_of, month_start, periods_of
from podium.web.charts.scale import scale_of, short
from podium.web.charts.shapes import HEIGHT, grouped, line, silhouette, stacked
from podium.web.charts.time_labels import labels_of
from podium.web.pages.board.chart import Chart, chart_of, lines_of, series_on
from tests.support.boards import at
from tests.support.web import Client, Site


def day(iso: str) -> int:
    return at(iso) // DAY


def timeline(*days: tuple[str, int, int], ai: int = 0) -> Timeline:
    """Days with what people and bots did; each has ``ai`` commits with declared AI."""
    people, bots = [people for _, people, _ in days], [bots for _, _, bots in days]
    return Timeline.of([day(iso) for iso, _, _ in days], people, bots, [ai] * len(days))


def chart(
    *days: tuple[str, int, int],
    ai: int = 0,
    latest: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Chart:
    rules = Rules.parse(since=since, until=until)
    found = chart_of(timeline(*days, ai=ai), rules, None if latest is None else day(latest))
    assert found is not None
    return found


def rows(found: Chart) -> dict[str, list[int]]:
    return {words: counts for words, _, counts in found.rows}


def test_each_period_has_people_ai_and_bots() -> None:
    found = chart(("2024-01-07", 3, 1), ("2024-01-09", 2, 0), ai=1)
    assert rows(found) == {"2024-01-07": [3, 1, 1], "2024-01-08": [0, 0, 0], "2024-01-09": [2, 1, 0]}
    assert [total for _, total, _ in found.rows] == [5, 0, 3]
    assert [(each.name, each.total) for each in found.series] == [("people", 5), ("ai", 2), ("bots", 1)]
    assert found.per == "per day"
    assert found.summary == ("Commits per day, 2024-01-07 to 2024-01-09: 8 in all, at most 5, in 2024-01-07.")


def test_nothing_is_not_drawn() -> None:
    assert chart_of(timeline(), Rules()) is None
    assert lines_of([("a", {}), ("b", {5: 0})]) is None


@pytest.mark.parametrize(
    ("last", "per", "number"),
    [
        ("2024-01-10", "per day", 1),
        ("2024-04-14", "per day", 96),
        ("2024-04-15", "per week", 15),
        ("2025-11-01", "per week", 95),
        ("2026-01-01", "per month", 25),
        ("2034-01-01", "per quarter", 41),
        ("2060-01-01", "per year", 37),
        ("2200-01-01", "per 2 years", 89),
    ],
)
def test_the_periods_follow_the_length_of_the_history(last: str, per: str, number: int) -> None:
    found = chart(("2024-01-10", 1, 0), (last, 1, 0)) if number > 1 else chart((last, 1, 0))
    assert (found.per, len(found.periods)) == (per, number)


@pytest.mark.parametrize("first", ["0001-01-07", "1969-12-28", "1970-01-04", "9999-12-26"])
def test_every_year_can_be_drawn(first: str) -> None:
    found = chart((first, 1, 0), *([("9999-12-31", 1, 0)] if first < "9999" else []))
    assert 1 <= len(found.periods) <= MOST
    assert found.total == len({first, "9999-12-31"}) - (first > "9999")
    assert found.periods.edges[0] <= day(first) < found.periods.edges[1]
    assert all(0 <= label.place <= 100 for label in found.labels)


def test_commits_of_wrong_clocks_are_left_out_and_counted() -> None:
    days = [((datetime.date(2024, 1, 7) + datetime.timedelta(7 * n)).isoformat(), 500, 0) for n in range(10)]
    found = chart(("1970-01-04", 2, 0), *days)
    assert (found.periods.days[0], found.left_out, found.total) == ("2024-01-07", 2, 5000)
    # In a window of their own they are drawn.
    alone = chart(("1970-01-04", 2, 0), *days, until="1990-01-01")
    assert (rows(alone), alone.left_out) == ({"1970-01-04": [2, 0, 0]}, 0)
    # A window does not stretch the chart beyond what the whole history shows.
    assert chart(("1970-01-04", 2, 0), *days, until="2024-01-13").periods.days[0] == "2024-01-07"


def test_a_window_fills_the_chart_and_is_marked_in_a_strip_of_the_whole_history() -> None:
    days = [((datetime.date(2024, 1, 7) + datetime.timedelta(n)).isoformat(), 1, 0) for n in range(10)]
    assert chart(*days).strip is None
    found = chart(*days, since="2024-01-09", until="2024-01-11")
    assert list(rows(found)) == ["2024-01-09", "2024-01-10", "2024-01-11"]
    assert found.strip is not None
    assert (len(found.strip.periods), found.strip.window) == (10, (20, 50))

    def marked(since: str | None = None, until: str | None = None) -> tuple[float, float]:
        strip = chart(*days, since=since, until=until).strip
        assert strip is not None
        return strip.window

    assert marked(until="2024-01-08") == (0, 20)
    assert marked(since="2000-01-01") == (0, 100)
    assert marked(since="2030-01-01") == (100, 100)
    assert marked(until="2000-01-01") == (0, 0)


def test_a_window_without_commits_says_so() -> None:
    found = chart(("2024-01-07", 1, 0), ("2025-01-07", 1, 0), since="2024-03-01", until="2024-04-01")
    assert found.is_empty
    assert found.total == 0
    assert chart(("2024-01-07", 1, 0), since="2030-01-01").is_empty
    # A quiet beginning or end belongs to the window.
    found = chart(("2024-01-07", 1, 0), ("2025-01-07", 1, 0), since="2024-03-01", until="2025-06-30")
    assert (found.periods.days[0], found.periods.days[-1], found.is_empty) == ("2024-03-01", "2025-01-12", False)


def test_periods_that_are_not_whole_say_so() -> None:
    days = (("2020-01-05", 1, 0), ("2021-01-05", 1, 0), ("2024-05-20", 1, 0))
    assert chart(*days, since="2020-02-10", until="2023-04-03").periods.words()[::38] == [
        "Feb 2020, from 2020-02-10",
        "Apr 2023, to 2023-04-03",
    ]
    assert chart(*days, latest="2024-05-21").periods.words()[-1] == "May 2024, so far"
    assert chart(*days, latest="2024-05-31").periods.words()[-1] == "May 2024"
    one = Periods(periods_of(0, 400).step, 52, [364, 366])
    assert one.words() == ["1970-12-31 to 1971-01-01"]
    assert [periods_of(0, 100 * length).words()[0] for length in (1, 5, 9, 100, 400, 1000)] == [
        "week of 1969-12-28",
        "week of 1969-12-28",
        "Jan 1970",
        "1970",
        "1970 to 1971",
        "1970 to 1974",
    ]


def test_the_figures_of_a_window_add_up() -> None:
    rng = random.Random(5)
    start = day("2011-03-05")
    days = sorted({start + rng.randrange(4000) for _ in range(700)} | {day("1975-01-01")})
    series = [[rng.randrange(9) for _ in days] for _ in range(3)]
    line = Timeline.of(days, *series)
    for _ in range(60):
        low, high = sorted(rng.choice((start + rng.randrange(-99, 4099), 0)) for _ in range(2))
        since, until = rng.choice((iso_day(low * DAY), None)), rng.choice((iso_day(high * DAY), None))
        found = chart_of(line, Rules.parse(since=since, until=until))
        assert found is not None
        inside = [
            sum(counts)
            for when, *counts in zip(days, *series, strict=True)
            if (since is None or when >= low) and (until is None or when <= high)
        ]
        assert found.total + found.left_out == sum(inside)
        assert found.is_empty is (sum(inside) == 0)


def test_months_are_counted_for_ever_and_back() -> None:
    assert [month_of(day) for day in (0, 31, -1)] == [1970 * 12, 1970 * 12 + 1, 1969 * 12 + 11]
    assert month_start(10_000 * 12) == day("9999-12-31") + 1
    for month in (0, -5, 1, 12 * 1970, 12 * 9999 + 11, 12 * 30_000):
        assert month_of(month_start(month)) == month == month_of(month_start(month + 1) - 1)


@pytest.mark.parametrize(
    ("peak", "lines"),
    [
        (0, ["0", "1", "2", "3"]),
        (1, ["0", "1", "2", "3"]),
        (4, ["0", "1", "2", "3"]),
        (5, ["0", "2", "4", "6"]),
        (6, ["0", "2", "4", "6"]),
        (36, ["0", "10", "20", "30"]),
        (44, ["0", "15", "30", "45"]),
        (990, ["0", "300", "600", "900"]),
        (8000, ["0", "2,500", "5,000", "7,500"]),
        (50_000, ["0", "15k", "30k", "45k"]),
        (10**12, ["0", "300G", "600G", "900G"]),
    ],
)
def test_three_lines_at_round_numbers_lie_within_the_scale(peak: int, lines: list[str]) -> None:
    scale = scale_of(peak)
    assert [words for _, words in scale.lines()] == lines
    assert max(peak, 3) <= scale.top <= max(1.2 * peak, 3)
    assert [place for place, _ in scale.lines()] == sorted((place for place, _ in scale.lines()), reverse=True)
    assert 0 <= scale.lines()[-1][0] <= 25
    assert scale.lines()[0][0] == 100
    assert len(short(scale.step)) <= 5


def test_labels_do_not_touch_at_any_width() -> None:
    rng = random.Random(1)
    for _ in range(300):
        low = rng.randrange(0, 20_000)
        periods = periods_of(low, low + 1 + int(10 ** rng.uniform(0, 4.2)), whole=(rng.random() < 0.5, True))
        labels = labels_of(periods)
        for name, width in (("w1", 12.0), ("w2", 17.0), ("w3", 28.0), ("w4", 44.0)):
            shown = [label for label in labels if name in label.widths.split()]
            assert shown
            # Half of a character of the page's font is at most 0.22 rem wide.
            spans = [
                (width * x.place / 100 - 0.22 * len(x.words), width * x.place / 100 + 0.22 * len(x.words))
                for x in shown
            ]
            assert all(left[1] < right[0] for left, right in itertools.pairwise(spans))
            assert len(spans) == 1 or (spans[0][0] >= -2.4 and spans[-1][1] <= width + 1)


def test_labels_name_each_year_once() -> None:
    months = labels_of(periods_of(day("2023-10-05"), day("2026-02-05")))
    assert [label.words for label in months if "w4" in label.widths][:4] == ["Oct 2023", "2024", "Apr", "Jul"]
    years = labels_of(periods_of(day("2005-04-07"), day("2026-08-20")))
    assert [label.words for label in years if "w4" in label.widths][:3] == ["2006", "2008", "2010"]
    days = labels_of(periods_of(day("2023-12-20"), day("2024-01-20")))
    assert [label.words for label in days if "w2" in label.widths] == ["31 Dec 2023", "14 Jan 2024"]


def heights(path: str) -> list[float]:
    return [round(float(low) - float(high), 1) for low, high in re.findall(r"M\S+ (\S+?)V([^h]+)h", path)]


def test_bars_stand_on_each_other_with_a_gap_and_every_count_can_be_seen() -> None:
    people, ai, bots = stacked([[100, 1, 0], [0, 1, 0], [100, 10_000, 1]], 10_002)
    assert len(heights(people)) == 2
    assert len(heights(ai)) == 1
    assert len(heights(bots)) == 3
    assert all(height > 0 for path in (people, ai, bots) for height in heights(path))
    assert min(heights(people) + heights(ai) + heights(bots)) >= 1
    assert people.startswith("M") and f" {HEIGHT}V" in people
    assert stacked([[0]], 5) == [""]


def test_a_bar_is_never_a_slab() -> None:
    (one,) = stacked([[5]], 5)
    assert one == "M46.5 160V0h7V160z"
    (many,) = stacked([[5] * 50], 5)
    assert many.startswith("M8 160V0h84V160z")


def test_series_share_one_axis_as_bars_or_as_lines() -> None:
    few = lines_of([("a", {0: 3, 2: 1}), ("b", {1: 6})])
    assert few is not None
    assert (few.kind, [each.name for each in few.series]) == ("groups", ["series-1", "series-2"])
    assert rows(few) == {"1970-01-01": [3, 0], "1970-01-02": [0, 6], "1970-01-03": [1, 0]}
    assert few.scale == scale_of(6)
    many = lines_of([("a", {0: 3, 50: 1}), ("b", {1: 6})])
    assert many is not None and many.kind == "lines"
    assert many.series[0].path.startswith("M50 80L150 160")
    assert many.summary == "Commits per day, 1970-01-01 to 1970-02-20. a: 4; b: 6."
    assert line([4], 4) == "M50 0h10"
    assert len(grouped([[1, 0], [1, 1]], 1)[1].split("M")) == 3


def test_one_person_is_drawn_on_the_periods_and_the_scale_of_the_board() -> None:
    board = chart(("2024-01-07", 3, 1), ("2024-01-09", 20, 0))
    person = series_on(board.periods, [("Ada", {day("2024-01-09"): 2, day("2030-01-01"): 9})], scale=board.scale)
    assert (person.kind, person.series[0].name, person.series[0].counts) == ("stack", "people", [0, 0, 2])
    assert heights(person.series[0].path) == [16]
    assert person.per == "per day"


def test_every_count_of_a_curve_can_be_seen() -> None:
    assert silhouette([1, 0, 10_000], 10_000, 20) == "M0 20V19H1V20H2V0H3V20Z"
    assert silhouette([25, 100], 100, 20, root=True) == "M0 20V10H1V0H2V20Z"
    assert silhouette([0, 0], 0, 20) == "M0 20H2V20Z"
    # A value above the scale of the first rows is cut off at the top.
    assert silhouette([5], 4, 20) == "M0 20V0H1V20Z"


def test_names_of_periods_are_those_of_the_rows_and_are_kept(site: Site, client: Client) -> None:
    number = site.repository()
    site.person(number, "Ada Lovelace", "ada@example.com", 5)
    site.person(number, "", "nameless@example.com", 3)
    site.person(number, "grace@example.com", "grace@example.com", 4)
    site.person(number, "Dependabot", "49699333+dependabot[bot]@users.noreply.github.com", 9)
    page = client.get("/r/octo/hello", headers={"Accept": "text/html"}).text
    (url,) = re.findall(r'data-names="([^"]*)"', page)
    answer = client.get(url)
    found = answer.json()
    edges = re.findall(r'class="plot" data-edges="([^"]*)"', page)[0].split()
    assert (found["since"], len(found["top"])) == (edges[0], len(edges) - 1)
    assert [name for name, _ in found["top"][0]] == ["Ada Lovelace", "…@…", "(no name)"]
    assert client.get(url, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    with_bots = client.get(f"{url}?bots=include&since=2024-04-01").json()["top"]
    assert any(name == "Dependabot" for top in with_bots for name, _ in top)
    assert client.get(f"{url}?since=2031-01-01").json()["top"] == [[]]
    assert client.get(f"{url}?since=sometime").status_code == 400
