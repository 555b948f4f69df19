"""Commits per day of people, bots and AI. Pure."""

from __future__ import annotations

import dataclasses
import itertools
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from podium.leaderboard.counts.commit_log import CommitLog
from podium.leaderboard.counts.credits import Credits
from podium.leaderboard.joining.grouping import Groups
from podium.leaderboard.rules import Rules
from podium.timeutil import DAY, week_number

# Commits from a wrong clock would squeeze the chart: it leaves out at most this share of all commits, but one of this
# many, before or after a gap of more than this many days.
_FEW = 0.001
_ONE_OF = 5
_GAP = 2 * 52 * 7


@dataclasses.dataclass(frozen=True, slots=True)
class Timeline:
    """Commits by the day of their author date (UTC); each commit is in one series. Dates that cannot be true are left
    out.

    Attributes:
        days: the days with commits, in days since the epoch, in order.
        human, bot: commits of people and of bots.
        ai: commits of AI agents, and those that are declared as made with AI.
        ends: the first and last day to draw, see :func:`drawn`; None if there are no commits.
        last: the time of the last commit that is drawn; None if there is none.
    """

    days: array[int]
    human: array[int]
    bot: array[int]
    ai: array[int]
    ends: tuple[int, int] | None
    last: int | None = None

    @classmethod
    def of(cls, days: Iterable[int], human: Iterable[int], bot: Iterable[int], ai: Iterable[int]) -> Timeline:
        numbers, people, bots, agents = array("i", days), array("I", human), array("I", bot), array("I", ai)
        totals = [sum(counts) for counts in zip(people, bots, agents, strict=True)]
        return cls(numbers, people, bots, agents, drawn(numbers, totals))

    @property
    def size(self) -> int:
        return 16 * len(self.days)

    def weeks(self) -> Iterator[tuple[int, int, int, int]]:
        """The number of each week with commits, and its commits of people, bots and AI."""
        found = zip(self.days, self.human, self.bot, self.ai, strict=True)
        for week, days in itertools.groupby(found, lambda day: week_number(day[0] * DAY)):
            _, human, bot, ai = map(sum, zip(*days, strict=True))
            yield week, human, bot, ai


def timeline(log: CommitLog, groups: Groups, credits: Credits, rules: Rules) -> Timeline:
    series = {kind: Counter(_days(_authored(log, groups, kind, rules))) for kind in ("human", "bot", "agent")}
    for group, entries in credits.declared.items():
        for entry in entries:
            if rules.merges or not log.named.is_merge[entry]:
                dates = log.named.within(entry, log.ordinary)
                series[groups.kinds[group]].subtract(_days(dates))
                series["agent"].update(_days(dates))
    days = sorted(set().union(*series.values()))
    human, bot, ai = ([series[kind][day] for day in days] for kind in ("human", "bot", "agent"))
    line = Timeline.of(days, human, bot, ai)
    return line if line.ends is None else dataclasses.replace(line, last=_last(log, rules, (line.ends[1] + 1) * DAY))


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


def _days(dates: Iterable[int]) -> Iterator[int]:
    return (when // DAY for when in dates)


def drawn(days: Sequence[int], counts: Sequence[int]) -> tuple[int, int] | None:
    """The first and last day to draw, without outliers; None if there are no commits."""
    active = [(day, count) for day, count in zip(days, counts, strict=True) if count]
    if not active:
        return None
    commits = sum(counts)
    most = max(_FEW * commits, float(commits >= _ONE_OF))
    return active[_first_kept(active, most)][0], active[::-1][_first_kept(active[::-1], most)][0]


def _first_kept(active: list[tuple[int, int]], most: float) -> int:
    kept, so_far = 0, 0
    for index, (day, count) in enumerate(active[:-1]):
        so_far += count
        if so_far > most:
            break
        if abs(active[index + 1][0] - day) > _GAP:
            kept = index + 1
    return kept
