"""What a board says as a whole: figures, split, commits over time, and the small curve of each row."""

from __future__ import annotations

import bisect
from typing import Any

from podium.leaderboard.board import Document
from podium.leaderboard.board_data import Ledger
from podium.leaderboard.people import kinds_counted
from podium.leaderboard.ranking import half, new_people
from podium.leaderboard.rules import Rules
from podium.leaderboard.timeline import drawn, split
from podium.leaderboard.windows import PRESETS, months_before
from podium.timeutil import DAY, iso_day, week_number, week_of, week_start

# Rows from the top of a board that set the scale of all small curves.
_SCALE = 50


def read_overview(ledger: Ledger, rules: Rules) -> Document:
    """Figures, split and commits over time, the document of `GET /leaderboard/activity`.

    Returns:
        ``figures``: ``people`` and ``commits`` on the board, ``halfOfCommits`` (how many people, the most active first,
        make half of them or more), and ``newPeople``: those whose first commit that counts lies in the window, or,
        where there is none, in the last 12 months; ``newPeopleSince`` is the first day of that. ``split``: all commits
        of the window by who authored them, bots and agents too whatever the rules; ``aiAssisted`` are those an agent
        authored or is named in as co-author. ``weeks``: all of history, by the Sunday (UTC) that begins each week.
        ``presets``: the windows that people ask for most, by their first day.
    """
    standings, line = ledger.standings(rules), ledger.timeline(rules)
    parts, since = split(line, rules), newcomers_since(ledger, rules)
    return {
        "rules": rules.as_dict(),
        "head": ledger.repository["head"],
        "figures": {
            "people": len(standings.order),
            "commits": standings.total,
            "halfOfCommits": half(standings),
            "newPeople": new_people(standings, ledger.seniority(rules), since, rules.until),
            "newPeopleSince": None if since is None else iso_day(since),
        },
        "split": {
            "human": parts.human,
            "bot": parts.bot,
            "agent": parts.agent,
            "aiAssisted": parts.agent + parts.assisted,
        },
        "presets": presets(ledger, rules),
        "weeks": [
            {"week": iso_day(week_start(week)), "human": human, "bot": bot, "agent": agent}
            for week, human, bot, agent in zip(line.weeks, line.human, line.bot, line.agent, strict=True)
        ],
    }


def newcomers_since(ledger: Ledger, rules: Rules) -> int | None:
    """From when on people count as new: the window's first second, or 12 months before the end."""
    if rules.windowed:
        return rules.since
    return week_of(Rules.parse(since=months_before(end_of(ledger, rules), 12)).since or 0)


def presets(ledger: Ledger, rules: Rules) -> dict[str, str | None]:
    """The first day of each of the usual windows, which all end with the last commit."""
    end = end_of(ledger, rules)
    return {name: None if months is None else months_before(end, months) for name, months in PRESETS.items()}


def end_of(ledger: Ledger, rules: Rules) -> int:
    """The day (as its first second) that the usual windows are counted back from: the last of the last week in which
    anything was done, or the one on which it was counted if that was before.
    """
    counted = int(ledger.repository["commits_processed_at"])
    ends = drawn(ledger.timeline(rules))
    return counted if ends is None else min(counted, week_start(ends[1]) + 6 * DAY)


def sparklines(ledger: Ledger, rules: Rules, numbers: list[int], points: int = 32) -> dict[str, Any]:
    """What each of the groups ``numbers`` did in each part of the window (or of history), of what counts.

    Returns:
        ``curves``: for each group as many counts as there are parts (``points``, or fewer where the window has fewer
        weeks). ``peak``: the largest count of any of the first rows of the whole board, which is the scale of all.
    """
    low, high = bounds(ledger, rules)
    points = max(1, min(points, high - low + 1))
    top = list(ledger.standings(rules).order[:_SCALE])
    scale = max((max(_curve(ledger, rules, number, (low, high), points)) for number in top), default=0)
    curves = [_curve(ledger, rules, number, (low, high), points) for number in numbers]
    return {"peak": scale, "curves": curves}


def add_sparklines(ledger: Ledger, rules: Rules, document: Document) -> None:
    """Give each row of a board's document its curve as ``sparkline``, and the document their scale and bounds."""
    first = document["offset"]
    numbers = list(ledger.standings(rules).order[first : first + len(document["top_contributors"])])
    drawn_of = sparklines(ledger, rules, numbers)
    low, high = bounds(ledger, rules)
    document["sparklines"] = {
        "peak": drawn_of["peak"],
        "since": iso_day(week_start(low)),
        "until": iso_day(week_start(high) + 6 * DAY),
    }
    for entry, curve in zip(document["top_contributors"], drawn_of["curves"], strict=True):
        entry["sparkline"] = curve


def bounds(ledger: Ledger, rules: Rules) -> tuple[int, int]:
    """The numbers of the first and the last week of the window, or of what there is to draw of it."""
    low, high = drawn(ledger.timeline(rules)) or (0, 0)
    if rules.since is not None:
        low = week_number(rules.since)
    if rules.until is not None:
        high = week_number(rules.until) - 1
    return low, max(low, high)


def _curve(ledger: Ledger, rules: Rules, number: int, weeks: tuple[int, int], points: int) -> list[int]:
    activity = ledger.activity()
    low, high = weeks
    span = range(bisect.bisect_left(activity.weeks, low), bisect.bisect_right(activity.weeks, high))
    curve = [0] * points
    for person in ledger.groups(rules).members[number]:
        places = activity.of(person, span)
        for kind in kinds_counted(rules):
            counts = activity.counts[kind]
            for place in places:
                curve[(activity.weeks[place] - low) * points // (high - low + 1)] += counts[place]
    return curve
