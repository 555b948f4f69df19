"""What was done over time, and by whom: people, bots and AI agents, week by week. Pure."""

from __future__ import annotations

import bisect
import dataclasses

from podium.leaderboard.grouping import Groups
from podium.leaderboard.people import CO_AUTHORED, CO_AUTHORED_MERGES, COMMITS, MERGES, Activity, People
from podium.leaderboard.rules import Rules
from podium.timeutil import week_number

# Weeks of silence behind which the few commits of a wrong clock are not drawn: they would squeeze all others together.
_SILENCE = 104
_FEW = 0.001


@dataclasses.dataclass(frozen=True, slots=True)
class Timeline:
    """Commits by the week they were authored in; merges are among them where the rules count merges.

    Attributes:
        weeks: the numbers of the weeks in which anything was done, in order.
        human, bot, agent: who authored how many in each of them.
        assisted: how many name an AI agent as co-author; one that names two counts twice.
    """

    weeks: list[int]
    human: list[int]
    bot: list[int]
    agent: list[int]
    assisted: list[int]

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 200 * len(self.weeks)

    def span(self, rules: Rules) -> slice:
        """The places of the weeks within the window of ``rules``."""
        low = 0 if rules.since is None else bisect.bisect_left(self.weeks, week_number(rules.since))
        high = len(self.weeks) if rules.until is None else bisect.bisect_left(self.weeks, week_number(rules.until))
        return slice(low, max(low, high))


def timeline(people: People, activity: Activity, groups: Groups, rules: Rules) -> Timeline:
    """Add up every week."""
    authored = (COMMITS, MERGES) if rules.merges else (COMMITS,)
    named = (CO_AUTHORED, CO_AUTHORED_MERGES) if rules.merges else (CO_AUTHORED,)
    sums: dict[str, dict[int, int]] = {kind: dict.fromkeys(activity.starts, 0) for kind in ("human", "bot", "agent")}
    by_person = [sums[groups.kinds[number]] for number in groups.of]
    for kind in authored:
        for person, week, count in zip(activity.people, activity.weeks, activity.counts[kind], strict=True):
            by_person[person][week] += count
    assisted = dict.fromkeys(activity.starts, 0)
    for person, kind_of_row in enumerate(people.kinds):
        if kind_of_row == "agent":
            for place in activity.of(person):
                assisted[activity.weeks[place]] += sum(activity.counts[kind][place] for kind in named)
    weeks = list(activity.starts)
    human, bot, agent = ([sums[kind][week] for week in weeks] for kind in ("human", "bot", "agent"))
    return Timeline(weeks, human, bot, agent, [assisted[week] for week in weeks])


@dataclasses.dataclass(frozen=True, slots=True)
class Split:
    """The commits of a window by who authored them; ``assisted`` of those of people and bots name an AI agent."""

    human: int
    bot: int
    agent: int
    assisted: int


def split(line: Timeline, rules: Rules) -> Split:
    """Add up the window of ``rules``."""
    span = line.span(rules)
    human, bot, agent, assisted = (sum(series[span]) for series in (line.human, line.bot, line.agent, line.assisted))
    return Split(human, bot, agent, min(assisted, human + bot))


def drawn(line: Timeline) -> tuple[int, int] | None:
    """The first and the last week worth drawing; None where nothing was done at all.

    Left out at either end are at most a thousandth of all commits that lie more than two years apart from the rest:
    clocks that were wrong.
    """
    totals = [sum(week) for week in zip(line.human, line.bot, line.agent, strict=True)]
    active = [(week, count) for week, count in zip(line.weeks, totals, strict=True) if count]
    if not active:
        return None
    most = _FEW * sum(totals)
    return active[_first_kept(active, most)][0], active[::-1][_first_kept(active[::-1], most)][0]


def _first_kept(active: list[tuple[int, int]], most: float) -> int:
    kept, so_far = 0, 0
    for place, (week, count) in enumerate(active[:-1]):
        so_far += count
        if so_far > most:
            break
        if abs(active[place + 1][0] - week) > _SILENCE:
            kept = place + 1
    return kept
