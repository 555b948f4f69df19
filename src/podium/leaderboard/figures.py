"""Figures of a whole board, and the activity curve of each row."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from podium.leaderboard.board import Document, agent_list
from podium.leaderboard.board_data import Ranked
from podium.leaderboard.counts.bus_factor import bus_factors
from podium.leaderboard.counts.commit_log import Window
from podium.leaderboard.counts.commit_parts import commit_split
from podium.leaderboard.counts.newcomers import end_of, new_people, new_since
from podium.leaderboard.counts.presence import presence
from podium.leaderboard.counts.row_counts import counted_dates
from podium.leaderboard.dates import first_day
from podium.leaderboard.windows import PRESETS
from podium.timeutil import DAY, WEEK, iso_day, iso_time, week_of, week_start

# The first rows of the board set the scale of all curves.
_SCALE = 50


def read_figures(ranked: Ranked) -> Document:
    """The document of `GET /leaderboard/activity`."""
    ranking, line = ranked.ranking, ranked.timeline
    split, since, lately = commit_split(ranked), new_since(ranked), presence(ranked)
    return {
        "rules": ranked.rules.as_dict(),
        "head": ranked.repository.head,
        "figures": {
            "people": len(ranking.order),
            "commits": ranking.total,
            "halfOfCommits": ranking.people_for_half(),
            "newPeople": new_people(ranked, since),
            "newPeopleSince": None if since is None else iso_day(since),
        },
        "presence": {"until": iso_time(lately.moment), **lately.numbers(ranking.order)},
        "busFactors": [
            {"year": year, "busFactor": number, "people": people} for year, number, people in bus_factors(ranked).years
        ],
        "split": {"human": split.human, "bot": split.bot, "ai": split.ai},
        "agents": agent_list(ranked),
        "presets": presets(ranked),
        "weeks": [
            {"week": iso_day(week_start(week)), "human": human, "bot": bot, "ai": ai}
            for week, human, bot, ai in line.weeks()
        ],
        "oddDates": ranked.log.odd_dates,
    }


def presets(ranked: Ranked) -> dict[str, str | None]:
    """The first day of each preset window; None is that of the whole history."""
    end = end_of(ranked)
    return {name: None if name == "all" else iso_day(first_day(name, end) * DAY) for name in PRESETS}


def sparklines(ranked: Ranked, groups: list[int], points: int = 32) -> dict[str, Any]:
    """The counted commits of ``groups`` in equal parts of the window or of the whole history.

    Returns:
        ``curves``: one count per part, at most one part per week. ``peak``: the scale of all curves.
    """
    edges = _edges(_bounds(ranked), points)
    top = list(ranked.ranking.order[:_SCALE])
    peak = max((max(_curve(ranked, group, edges)) for group in top), default=0)
    return {"peak": peak, "curves": [_curve(ranked, group, edges) for group in groups]}


def add_sparklines(ranked: Ranked, document: Document, shown: Sequence[int] | None = None) -> None:
    """Add ``sparkline`` to each row of a board's document; ``shown``: the groups of its view, by default all."""
    first = document["offset"]
    shown = ranked.ranking.order if shown is None else shown
    groups = list(shown[first : first + len(document["top_contributors"])])
    found = sparklines(ranked, groups)
    low, high = _bounds(ranked)
    document["sparklines"] = {"peak": found["peak"], "since": iso_day(low), "until": iso_day(high - 1)}
    for entry, curve in zip(document["top_contributors"], found["curves"], strict=True):
        entry["sparkline"] = curve


def _bounds(ranked: Ranked) -> Window:
    rules = ranked.rules
    first, last = ranked.timeline.ends or (0, 0)
    low = week_of(first * DAY) if rules.since is None else rules.since
    high = week_of(last * DAY) + WEEK if rules.until is None else rules.until
    return low, max(high, low + DAY)


def _edges(bounds: Window, points: int) -> list[int]:
    """Where the parts begin, plus the end."""
    low, high = bounds
    points = max(1, min(points, -(-(high - low) // WEEK)))
    return [low - (low - high) * point // points for point in range(points + 1)]


def _curve(ranked: Ranked, group: int, edges: list[int]) -> list[int]:
    since, until = ranked.log.ordinary
    window = max(edges[0], since), min(edges[-1], until)
    curve = [0] * (len(edges) - 1)
    for dates in counted_dates(ranked, group, window):
        low = 0
        for part, edge in enumerate(edges[1:] if dates else ()):
            high = bisect_left(dates, edge, low)
            curve[part] += high - low
            low = high
    return curve
