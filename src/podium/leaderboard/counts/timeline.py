"""Commits per day of people, bots and AI. Pure."""

from __future__ import annotations

import dataclasses
import heapq
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
    """

    days: array[int]
    human: array[int]
    bot: array[int]
    ai: array[int]
    ends: tuple[int, int] | None

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


@dataclasses.dataclass(frozen=True, slots=True)
class CommitsByDay:
    """The commits and the merges of all people by day, without dates that cannot be true."""

    commits: Counter[int]
    merges: Counter[int]

    @property
    def size(self) -> int:
        return 100 * (len(self.commits) + len(self.merges))


def commits_by_day(log: CommitLog) -> CommitsByDay:
    since, until = log.ordinary
    merges = Counter(_days(log.all_merges(log.ordinary)))
    commits = Counter(_days(when for when in log.dates if since <= when < until))
    commits.subtract(merges)
    return CommitsByDay(+commits, merges)


@dataclasses.dataclass(frozen=True, slots=True)
class LastDay:
    day: int | None
    size: int = 100


def last_day(log: CommitLog, *, merges: bool) -> LastDay:
    """The last day of :attr:`Timeline.ends`, without a timeline: only the latest commits can be left out of it."""
    since, until = log.ordinary
    commits = sum(log.commits(log.ordinary)) + (len(log.all_merges(log.ordinary)) if merges else 0)
    most = _most_left_out(commits)
    spans = itertools.pairwise(log.starts) if merges else zip(log.starts[:-1:2], log.starts[1::2], strict=True)
    # The latest come first, after which few others are larger.
    dates = itertools.chain.from_iterable(reversed(log.dates[low:high]) for low, high in spans)
    latest = heapq.nlargest(int(most) + 1 + log.odd_dates, dates)
    days = sorted(Counter(_days(when for when in latest if since <= when < until)).items(), reverse=True)
    return LastDay(days[_first_kept(days, most)][0] if days else None)


def timeline(log: CommitLog, by_day: CommitsByDay, groups: Groups, credits: Credits, rules: Rules) -> Timeline:
    series = {"human": Counter(by_day.commits), "bot": Counter[int](), "agent": Counter[int]()}
    if rules.merges:
        series["human"].update(by_day.merges)
    for kind in ("bot", "agent"):
        _move(series, "human", kind, _of_tools(log, groups, credits, kind, rules))
    for kind in ("human", "bot"):
        _move(series, kind, "agent", _declared(log, groups, credits, kind, rules))
    days = sorted(set().union(*series.values()))
    human, bot, ai = ([series[kind][day] for day in days] for kind in ("human", "bot", "agent"))
    return Timeline.of(days, human, bot, ai)


def _move(series: dict[str, Counter[int]], kind: str, into: str, dates: Iterable[int]) -> None:
    days = Counter(_days(dates))
    series[kind].subtract(days)
    series[into].update(days)


def _of_tools(log: CommitLog, groups: Groups, credits: Credits, kind: str, rules: Rules) -> Iterator[int]:
    for group in credits.tools:
        if groups.kinds[group] == kind:
            for person in groups.members[group]:
                yield from log.within(person, False, log.ordinary)
                if rules.merges:
                    yield from log.within(person, True, log.ordinary)


def _declared(log: CommitLog, groups: Groups, credits: Credits, kind: str, rules: Rules) -> Iterator[int]:
    """Dates of the commits that are declared as made with AI, by groups of that kind."""
    for group, entries in credits.declared.items():
        if groups.kinds[group] == kind:
            for entry in entries:
                if rules.merges or not log.named.is_merge[entry]:
                    yield from log.named.within(entry, log.ordinary)


def _days(dates: Iterable[int]) -> Iterator[int]:
    return (when // DAY for when in dates)


def drawn(days: Sequence[int], counts: Sequence[int]) -> tuple[int, int] | None:
    """The first and last day to draw, without outliers; None if there are no commits."""
    active = [(day, count) for day, count in zip(days, counts, strict=True) if count]
    if not active:
        return None
    most = _most_left_out(sum(counts))
    return active[_first_kept(active, most)][0], active[::-1][_first_kept(active[::-1], most)][0]


def _most_left_out(commits: int) -> float:
    return max(_FEW * commits, float(commits >= _ONE_OF))


def _first_kept(active: list[tuple[int, int]], most: float) -> int:
    kept, so_far = 0, 0
    for index, (day, count) in enumerate(active[:-1]):
        so_far += count
        if so_far > most:
            break
        if abs(active[index + 1][0] - day) > _GAP:
            kept = index + 1
    return kept
