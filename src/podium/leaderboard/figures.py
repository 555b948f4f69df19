"""Figures of a whole board, and the activity curve of each row."""

from __future__ import annotations

import bisect
from typing import Any

from podium.leaderboard.board import Document
from podium.leaderboard.board_data import Ranked
from podium.leaderboard.people import kinds_counted
from podium.leaderboard.rules import Rules
from podium.leaderboard.timeline import drawn, split_commits
from podium.leaderboard.windows import PRESETS, months_before
from podium.timeutil import DAY, iso_day, week_number, week_of, week_start

# The first rows of the board set the scale of all curves.
_SCALE = 50


def read_figures(ranked: Ranked) -> Document:
    """The document of `GET /leaderboard/activity`."""
    ranking, line = ranked.ranking, ranked.timeline
    parts, since = split_commits(line, ranked.rules), newcomers_since(ranked)
    return {
        "rules": ranked.rules.as_dict(),
        "head": ranked.repository.head,
        "figures": {
            "people": len(ranking.order),
            "commits": ranking.total,
            "halfOfCommits": ranking.people_for_half(),
            "newPeople": ranking.new_people(ranked.tie_break, since, ranked.rules.until),
            "newPeopleSince": None if since is None else iso_day(since),
        },
        "split": _series(parts.human, parts.bot, parts.agent, parts.assisted),
        "presets": presets(ranked),
        "weeks": [
            {"week": iso_day(week_start(week)), **_series(human, bot, agent, assisted)}
            for week, human, bot, agent, assisted in zip(
                line.weeks, line.human, line.bot, line.agent, line.assisted, strict=True
            )
        ],
    }


def _series(human: int, bot: int, agent: int, assisted: int) -> dict[str, int]:
    """Each commit in one series; the activity does not say which authors an agent assisted: people first."""
    assisted = min(assisted, human + bot)
    by_people = min(assisted, human)
    return {"human": human - by_people, "bot": bot - (assisted - by_people), "ai": agent + assisted}


def newcomers_since(ranked: Ranked) -> int | None:
    """The start of the window, or 12 months before the end of the history: people who began later are new."""
    if ranked.rules.windowed:
        return ranked.rules.since
    return week_of(Rules.parse(since=months_before(end_of(ranked), 12)).since or 0)


def presets(ranked: Ranked) -> dict[str, str | None]:
    end = end_of(ranked)
    return {name: None if months is None else months_before(end, months) for name, months in PRESETS.items()}


def end_of(ranked: Ranked) -> int:
    """The day from which preset windows count back.

    It is the last day of the last week with commits, or the day of the count if that is earlier.
    """
    counted = ranked.repository.counted_at
    ends = drawn(ranked.timeline)
    return counted if ends is None else min(counted, week_start(ends[1]) + 6 * DAY)


def sparklines(ranked: Ranked, groups: list[int], points: int = 32) -> dict[str, Any]:
    """The counted commits of ``groups`` in equal parts of the window or of the whole history.

    Returns:
        ``curves``: one count per part, at most one part per week. ``peak``: the scale of all curves.
    """
    low, high = _bounds(ranked)
    points = max(1, min(points, high - low + 1))
    top = list(ranked.ranking.order[:_SCALE])
    peak = max((max(_curve(ranked, group, (low, high), points)) for group in top), default=0)
    return {"peak": peak, "curves": [_curve(ranked, group, (low, high), points) for group in groups]}


def add_sparklines(ranked: Ranked, document: Document) -> None:
    """Add ``sparkline`` to each row of a board's document."""
    first = document["offset"]
    groups = list(ranked.ranking.order[first : first + len(document["top_contributors"])])
    found = sparklines(ranked, groups)
    low, high = _bounds(ranked)
    document["sparklines"] = {
        "peak": found["peak"],
        "since": iso_day(week_start(low)),
        "until": iso_day(week_start(high) + 6 * DAY),
    }
    for entry, curve in zip(document["top_contributors"], found["curves"], strict=True):
        entry["sparkline"] = curve


def _bounds(ranked: Ranked) -> tuple[int, int]:
    rules = ranked.rules
    low, high = drawn(ranked.timeline) or (0, 0)
    if rules.since is not None:
        low = week_number(rules.since)
    if rules.until is not None:
        high = week_number(rules.until) - 1
    return low, max(low, high)


def _curve(ranked: Ranked, group: int, weeks: tuple[int, int], points: int) -> list[int]:
    activity = ranked.activity
    low, high = weeks
    span = range(bisect.bisect_left(activity.weeks, low), bisect.bisect_right(activity.weeks, high))
    curve = [0] * points
    for person in ranked.groups.members[group]:
        indexes = activity.of(person, span)
        for kind in kinds_counted(ranked.rules):
            counts = activity.counts[kind]
            for index in indexes:
                curve[(activity.weeks[index] - low) * points // (high - low + 1)] += counts[index]
    return curve
