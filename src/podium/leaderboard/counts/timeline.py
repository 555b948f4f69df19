"""Commits per week of people, bots and AI. Pure."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator

from podium.leaderboard.counts.commit_log import CommitLog
from podium.leaderboard.counts.credits import Credits
from podium.leaderboard.joining.grouping import Groups
from podium.leaderboard.rules import Rules
from podium.timeutil import SINCE_SUNDAY, WEEK, week_start

# Commits from a wrong clock would squeeze the chart: it leaves out at most this share of all commits, but one of this
# many, before or after a gap of more than this many weeks.
_FEW = 0.001
_ONE_OF = 5
_GAP = 104


@dataclasses.dataclass(frozen=True, slots=True)
class Timeline:
    """Commits by the week of their author date; each commit is in one series. Dates that cannot be true are left out.

    Attributes:
        weeks: the numbers of the weeks with commits.
        human, bot: commits of people and of bots.
        ai: commits of AI agents, and those that are declared as made with AI.
        last: the time of the last commit that is drawn; None if there is none.
    """

    weeks: list[int]
    human: list[int]
    bot: list[int]
    ai: list[int]
    last: int | None = None

    @property
    def size(self) -> int:
        return 150 * len(self.weeks)


def timeline(log: CommitLog, groups: Groups, credits: Credits, rules: Rules) -> Timeline:
    series = {kind: Counter(_weeks(_authored(log, groups, kind, rules))) for kind in ("human", "bot", "agent")}
    for group, entries in credits.declared.items():
        for entry in entries:
            if rules.merges or not log.named.is_merge[entry]:
                dates = log.named.within(entry, log.ordinary)
                series[groups.kinds[group]].subtract(_weeks(dates))
                series["agent"].update(_weeks(dates))
    weeks = sorted(set().union(*series.values()))
    human, bot, ai = ([series[kind][week] for week in weeks] for kind in ("human", "bot", "agent"))
    line = Timeline(weeks, human, bot, ai)
    ends = drawn(line)
    return line if ends is None else dataclasses.replace(line, last=_last(log, rules, week_start(ends[1]) + WEEK))


def _authored(log: CommitLog, groups: Groups, kind: str, rules: Rules) -> Iterator[int]:
    for person, group in enumerate(groups.of):
        if groups.kinds[group] == kind:
            yield from log.within(person, False, log.ordinary)
            if rules.merges:
                yield from log.within(person, True, log.ordinary)


def _last(log: CommitLog, rules: Rules, until: int) -> int:
    window = log.ordinary[0], min(until, log.ordinary[1])
    kinds = (False, True) if rules.merges else (False,)
    people = range(len(log.starts) // 2)
    lasts = (log.within(person, is_merge, window)[-1:] for person in people for is_merge in kinds)
    return max(itertools.chain.from_iterable(lasts))


def _weeks(dates: Iterable[int]) -> Iterator[int]:
    return ((when + SINCE_SUNDAY) // WEEK for when in dates)


def drawn(line: Timeline) -> tuple[int, int] | None:
    """The first and last week to draw, without outliers; None if there are no commits."""
    totals = [sum(week) for week in zip(line.human, line.bot, line.ai, strict=True)]
    active = [(week, count) for week, count in zip(line.weeks, totals, strict=True) if count]
    if not active:
        return None
    commits = sum(totals)
    most = max(_FEW * commits, float(commits >= _ONE_OF))
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
