"""Commits per week of people, bots and AI agents. Pure."""

from __future__ import annotations

import bisect
import dataclasses

from podium.leaderboard.grouping import Groups
from podium.leaderboard.people import CO_AUTHORED, CO_AUTHORED_MERGES, COMMITS, MERGES, People, WeeklyActivity
from podium.leaderboard.rules import Rules
from podium.timeutil import week_number

# Commits from a wrong clock would squeeze the chart: it leaves out at most this share of all commits, before or after a
# gap of more than this many weeks.
_FEW = 0.001
_GAP = 104


@dataclasses.dataclass(frozen=True, slots=True)
class Timeline:
    """Commits by the week of their author date.

    Attributes:
        weeks: the numbers of the weeks with commits.
        assisted: commits that name an AI agent as co-author; one that names two counts twice.
    """

    weeks: list[int]
    human: list[int]
    bot: list[int]
    agent: list[int]
    assisted: list[int]

    @property
    def size(self) -> int:
        return 200 * len(self.weeks)

    def span(self, rules: Rules) -> slice:
        low = 0 if rules.since is None else bisect.bisect_left(self.weeks, week_number(rules.since))
        high = len(self.weeks) if rules.until is None else bisect.bisect_left(self.weeks, week_number(rules.until))
        return slice(low, max(low, high))


def timeline(people: People, activity: WeeklyActivity, groups: Groups, rules: Rules) -> Timeline:
    authored = (COMMITS, MERGES) if rules.merges else (COMMITS,)
    named = (CO_AUTHORED, CO_AUTHORED_MERGES) if rules.merges else (CO_AUTHORED,)
    sums: dict[str, dict[int, int]] = {kind: dict.fromkeys(activity.starts, 0) for kind in ("human", "bot", "agent")}
    by_person = [sums[groups.kinds[group]] for group in groups.of]
    for kind in authored:
        for person, week, count in zip(activity.people, activity.weeks, activity.counts[kind], strict=True):
            by_person[person][week] += count
    assisted = dict.fromkeys(activity.starts, 0)
    for person, kind_of_person in enumerate(people.kinds):
        if kind_of_person == "agent":
            for index in activity.of(person):
                assisted[activity.weeks[index]] += sum(activity.counts[kind][index] for kind in named)
    weeks = list(activity.starts)
    human, bot, agent = ([sums[kind][week] for week in weeks] for kind in ("human", "bot", "agent"))
    return Timeline(weeks, human, bot, agent, [assisted[week] for week in weeks])


@dataclasses.dataclass(frozen=True, slots=True)
class AuthorSplit:
    """A window's commits by kind of author; ``assisted`` have an AI agent as co-author only."""

    human: int
    bot: int
    agent: int
    assisted: int


def split_commits(line: Timeline, rules: Rules) -> AuthorSplit:
    span = line.span(rules)
    human, bot, agent, assisted = (sum(series[span]) for series in (line.human, line.bot, line.agent, line.assisted))
    return AuthorSplit(human, bot, agent, min(assisted, human + bot))


def drawn(line: Timeline) -> tuple[int, int] | None:
    """The first and last week to draw, without outliers; None if there are no commits."""
    totals = [sum(week) for week in zip(line.human, line.bot, line.agent, strict=True)]
    active = [(week, count) for week, count in zip(line.weeks, totals, strict=True) if count]
    if not active:
        return None
    most = _FEW * sum(totals)
    return active[_first_kept(active, most)][0], active[::-1][_first_kept(active[::-1], most)][0]


def _first_kept(active: list[tuple[int, int]], most: float) -> int:
    kept, so_far = 0, 0
    for index, (week, count) in enumerate(active[:-1]):
        so_far += count
        if so_far > most:
            break
        if abs(active[index + 1][0] - week) > _GAP:
            kept = index + 1
    return kept
