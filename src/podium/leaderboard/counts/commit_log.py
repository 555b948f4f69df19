"""The commits of a repository in memory: each person's dates in order, and whom commits name.

A window is a pair of seconds, the first one and the first one after it. Counting a window takes two searches for each
person.
"""

from __future__ import annotations

import dataclasses
import itertools
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable

from podium.errors import BadCommitLog
from podium.leaderboard.rows.people import COMMITS, MERGES, People
from podium.leaderboard.rules import Rules
from podium.repositories.model import Repository
from podium.storage.commit_log.segment import Segment
from podium.timeutil import DAY

Window = tuple[int, int]

# All of history, with dates that git cannot read.
EVER: Window = (-(2**63), 2**63)
# A date that may be a missing one, in any time zone.
_FIRST_DATE = DAY
_NEVER = -(2**63)


@dataclasses.dataclass(frozen=True, slots=True)
class DatedSets:
    """Commits by whom they name: those with one author and one set are an entry.

    Attributes:
        authors: the author of each entry, a person.
        is_merge: 1 if the commits of an entry are merges.
        sets: the people whom the commits of an entry name; equal sets are one object. In the sets of roles a member is
            8 * person + role, and the author is not kept.
        starts: where the dates of each entry begin, plus the end.
        dates: the dates of each entry in order.
    """

    authors: array[int]
    is_merge: bytearray
    sets: list[tuple[int, ...]]
    starts: array[int]
    dates: array[int]

    @property
    def size(self) -> int:
        return 200 * len(self.sets) + 8 * len(self.dates) + sum(map(len, {id(s): s for s in self.sets}.values())) * 8

    def counts(self, window: Window) -> list[int]:
        """The commits of each entry in a window."""
        starts, dates = self.starts, self.dates
        if window == EVER:
            return [high - low for low, high in itertools.pairwise(starts)]
        since, until = window
        return [
            bisect_left(dates, until, low, high) - bisect_left(dates, since, low, high)
            for low, high in itertools.pairwise(starts)
        ]

    def count(self, entry: int, window: Window) -> int:
        return _count(self.dates, self.starts[entry], self.starts[entry + 1], window)

    def within(self, entry: int, window: Window) -> array[int]:
        """The dates of an entry in a window."""
        return _within(self.dates, self.starts[entry], self.starts[entry + 1], window)


@dataclasses.dataclass(frozen=True, slots=True)
class CommitLog:
    """All commits of a repository.

    Attributes:
        dates: the dates of each person's commits in order, then those of the person's merges.
        starts: where the commits and the merges of each person begin in ``dates``, plus the end.
        firsts, lasts: the first and last date of each person's commits; -(2**63) for people without any.
        mergers: the people who have merges.
        merge_dates: the dates of all merges in order.
        named: the commits that name co-authors or agents.
        ordinary: the window of the dates that can be true. Commits with other dates count in all of history, and in no
            window.
        odd_dates: the number of commits with other dates.
        is_coarse: an older version counted: dates are the Sundays of their weeks.
    """

    dates: array[int]
    starts: array[int]
    firsts: array[int]
    lasts: array[int]
    mergers: array[int]
    merge_dates: array[int]
    named: DatedSets
    ordinary: Window
    odd_dates: int
    is_coarse: bool

    @property
    def size(self) -> int:
        dates = len(self.dates) + len(self.merge_dates)
        return 8 * dates + 12 * len(self.starts) + 4 * len(self.mergers) + self.named.size

    def window(self, rules: Rules) -> Window:
        if not rules.windowed:
            return EVER
        first, end = self.ordinary
        low = first if rules.since is None else max(rules.since, first)
        high = end if rules.until is None else min(rules.until, end)
        return low, max(low, high)

    def within(self, person: int, is_merge: bool, window: Window) -> array[int]:
        """The dates of a person's commits, or merges, in a window."""
        key = 2 * person + is_merge
        return _within(self.dates, self.starts[key], self.starts[key + 1], window)

    def count(self, person: int, is_merge: bool, window: Window) -> int:
        key = 2 * person + is_merge
        return _count(self.dates, self.starts[key], self.starts[key + 1], window)

    def commits(self, window: Window) -> list[int]:
        """The commits of each person in a window, without merges."""
        starts, dates, (since, until) = self.starts, self.dates, window
        lows, highs = starts[:-1:2], starts[1::2]
        if window == EVER:
            return [high - low for low, high in zip(lows, highs, strict=True)]
        # Most people have all of their commits on one side of the window, or in it.
        return [
            0
            if last < since or first >= until
            else high - low
            if first >= since and last < until
            else bisect_left(dates, until, low, high) - bisect_left(dates, since, low, high)
            for first, last, low, high in zip(self.firsts, self.lasts, lows, highs, strict=True)
        ]

    def around(self, window: Window) -> tuple[int | None, int | None]:
        """The last date before a window and the first one after it, without dates that cannot be true."""
        (since, until), (first, end) = window, self.ordinary
        before, after = [], []
        for low, high in itertools.pairwise(self.starts):
            at = bisect_left(self.dates, since, low, high)
            before += [date for date in self.dates[max(low, at - 1) : at] if date >= first]
            at = bisect_left(self.dates, until, at, high)
            after += [date for date in self.dates[at : min(at + 1, high)] if date < end]
        return max(before, default=None), min(after, default=None)

    def all_merges(self, window: Window) -> array[int]:
        """The dates of everyone's merges in a window, in order."""
        return _within(self.merge_dates, 0, len(self.merge_dates), window)

    def merges(self, window: Window) -> dict[int, int]:
        """The merges of each person who has any."""
        return {person: self.count(person, True, window) for person in self.mergers}


def _within(dates: array[int], low: int, high: int, window: Window) -> array[int]:
    since, until = window
    low = bisect_left(dates, since, low, high)
    return dates[low : bisect_left(dates, until, low, high)]


def _count(dates: array[int], low: int, high: int, window: Window) -> int:
    since, until = window
    return bisect_left(dates, until, low, high) - bisect_left(dates, since, low, high)


def ordinary_dates(counted_at: int) -> Window:
    """The dates that commits may have that were counted at that time; a clock may be wrong by a day."""
    return _FIRST_DATE, max(counted_at + DAY + 1, _FIRST_DATE)


def read_log(
    segments: Iterable[Segment],
    people: People,
    repository: Repository,
    check: Callable[[], None],
    *,
    is_coarse: bool = False,
) -> CommitLog:
    """Put the segments of a count together.

    Args:
        check: called between segments, and may raise an error.
        is_coarse: whether any of them is.

    Raises:
        BadCommitLog: the segments do not have the commits of ``people`` and ``repository``.
    """
    person_of = _persons(people)
    commits: dict[int, list[array[int]]] = {}
    named = _Entries()
    for segment in segments:
        check()
        authors = [(2 * _person(person_of, key >> 1) + (key & 1), number) for key, number in segment.authors]
        end = 0
        for key, number in authors:
            start, end = end, end + number
            commits.setdefault(key, []).append(segment.dates[start:end])
        sets = [tuple(sorted({_person(person_of, ordinal) for ordinal in members})) for members in segment.named_sets]
        named.add(authors, segment.named, sets, segment.dates)
    check()
    dates, starts = _joined(commits, len(people.ids))
    mergers = array(
        "I", [person for person in range(len(people.ids)) if starts[2 * person + 1] < starts[2 * person + 2]]
    )
    merges = (dates[starts[2 * person + 1] : starts[2 * person + 2]] for person in mergers)
    merge_dates = array("q", sorted(itertools.chain.from_iterable(merges)))
    spans = list(zip(starts[:-1:2], starts[1::2], strict=True))
    firsts = array("q", [dates[low] if low < high else _NEVER for low, high in spans])
    lasts = array("q", [dates[high - 1] if low < high else _NEVER for low, high in spans])
    ordinary = ordinary_dates(repository.counted_at)
    odd_dates = _odd_dates(dates, starts, ordinary)
    log = CommitLog(dates, starts, firsts, lasts, mergers, merge_dates, named.result(), ordinary, odd_dates, is_coarse)
    _verify(log, people, repository)
    return log


def _persons(people: People) -> dict[int, int]:
    return {ordinal: person for person, ordinal in enumerate(people.ordinals)}


def _person(person_of: dict[int, int], ordinal: int) -> int:
    person = person_of.get(ordinal)
    if person is None:
        raise BadCommitLog(f"The commit log names person {ordinal}, who is not in the database.")
    return person


def _joined(commits: dict[int, list[array[int]]], people: int) -> tuple[array[int], array[int]]:
    dates, numbers = array("q"), array("I", bytes(8 * people))
    for key in sorted(commits):
        parts = commits.pop(key)
        if len(parts) == 1:
            dates += parts[0]
        else:
            # Parts of several segments follow each other in any order.
            dates.extend(sorted(itertools.chain.from_iterable(parts)))
        numbers[key] = sum(map(len, parts))
    return dates, array("I", itertools.accumulate(numbers, initial=0))


def _odd_dates(dates: array[int], starts: array[int], ordinary: Window) -> int:
    since, until = ordinary
    return sum(
        high - low - _count(dates, low, high, ordinary)
        for low, high in itertools.pairwise(starts)
        if low < high and (dates[low] < since or dates[high - 1] >= until)
    )


class _Entries:
    """Collects the commits that name others."""

    def __init__(self) -> None:
        self._sets: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._dates: dict[tuple[int, tuple[int, ...]], list[int]] = {}

    def add(
        self, authors: list[tuple[int, int]], ids: array[int], sets: Iterable[tuple[int, ...]], dates: array[int]
    ) -> None:
        """Add the commits whose id is not 0; ``authors`` has the key of an entry for each run of commits."""
        shared = [self._sets.setdefault(members, members) for members in sets]
        runs, end, key = iter(authors), 0, 0
        for place in itertools.compress(range(len(ids)), ids):
            while place >= end:
                key, number = next(runs)
                end += number
            self._dates.setdefault((key, shared[ids[place] - 1]), []).append(dates[place])

    def result(self) -> DatedSets:
        authors, is_merge, sets = array("I"), bytearray(), []
        starts, dates = array("I", [0]), array("q")
        for key, members in sorted(self._dates):
            authors.append(key >> 1)
            is_merge.append(key & 1)
            sets.append(members)
            dates.extend(sorted(self._dates.pop((key, members))))
            starts.append(len(dates))
        return DatedSets(authors, is_merge, sets, starts, dates)


def read_roles(segments: Iterable[Segment], people: People, check: Callable[[], None]) -> DatedSets:
    """The commits that give people roles; their authors are not kept.

    Raises:
        BadCommitLog: as for :func:`read_log`.
    """
    person_of, entries = _persons(people), _Entries()
    for segment in segments:
        check()
        sets = [
            tuple(sorted(8 * _person(person_of, member >> 3) + (member & 7) for member in members))
            for members in segment.role_sets
        ]
        entries.add([(key & 1, number) for key, number in segment.authors], segment.roles, sets, segment.dates)
    return entries.result()


def _verify(log: CommitLog, people: People, repository: Repository) -> None:
    total = repository.total_commits or 0
    if len(log.dates) != total:
        raise BadCommitLog(f"The commit log has {len(log.dates):,} of {total:,} commits.")
    merges = {person: count for person, count in enumerate(people.counts[MERGES]) if count}
    if log.commits(EVER) != people.counts[COMMITS] or log.merges(EVER) != merges:
        raise BadCommitLog("The commit log and the people of the repository do not have the same commits.")
