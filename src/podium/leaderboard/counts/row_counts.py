"""What the commits of one row of a board say: counts, dates, years."""

from __future__ import annotations

import dataclasses
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

from podium.leaderboard.board_data import Ranked
from podium.leaderboard.counts.commit_log import EVER, Window
from podium.timeutil import year_of, year_start


@dataclasses.dataclass(frozen=True, slots=True)
class RowCounts:
    """The counts of a row in the window.

    Attributes:
        merges, co_authored: whether the rules count them or not.
        ai: the counted commits that the row authored and that an AI agent made, or that are declared as made with one.
        odd_dates: the counted commits of all of history with a date that cannot be true.
        first, last: the times of the first and last counted commit in the window; None if none has a date that can be
            true.
    """

    merges: int
    co_authored: int
    ai: int
    odd_dates: int
    first: int | None
    last: int | None


def row_counts(ranked: Ranked, group: int) -> RowCounts:
    log, window, members = ranked.log, ranked.window, ranked.groups.members[group]
    ordinary = log.ordinary if window == EVER else window
    first, last = _ends(counted_dates(ranked, group, ordinary))
    return RowCounts(
        merges=sum(log.count(person, True, window) for person in members),
        co_authored=co_authored(ranked, group, window),
        ai=ai_commits(ranked, group),
        odd_dates=_number(ranked, group, EVER) - _number(ranked, group, log.ordinary) if log.odd_dates else 0,
        first=first,
        last=last,
    )


def counted_dates(ranked: Ranked, group: int, window: Window) -> Iterator[array[int]]:
    """The dates of all commits that the rules count for a row in ``window``, in several sorted arrays."""
    log, rules = ranked.log, ranked.rules
    for person in ranked.groups.members[group]:
        yield log.within(person, False, window)
        if rules.merges:
            yield log.within(person, True, window)
    if rules.co_authors:
        for entry in ranked.credits.entries.get(group, ()):
            if rules.merges or not log.named.is_merge[entry]:
                yield log.named.within(entry, window)


def _ends(dates: Iterator[array[int]]) -> tuple[int | None, int | None]:
    ends = [(those[0], those[-1]) for those in dates if those]
    return min((low for low, _ in ends), default=None), max((high for _, high in ends), default=None)


def _number(ranked: Ranked, group: int, window: Window) -> int:
    return sum(map(len, counted_dates(ranked, group, window)))


def co_authored(ranked: Ranked, group: int, window: Window = EVER) -> int:
    """The commits of others, merges included, that name any of a row's people."""
    named = ranked.log.named
    return sum(named.count(entry, window) for entry in ranked.credits.entries.get(group, ()))


def authored(ranked: Ranked, group: int) -> tuple[int, int]:
    """The commits and the merges that a row's people authored in all of history."""
    counts, members = ranked.people.counts, ranked.groups.members[group]
    commits, merges = (sum(column[person] for person in members) for column in counts)
    return commits, merges


def counted_ever(ranked: Ranked, group: int) -> int:
    """The commits that the rules count for a row in all of history."""
    return _number(ranked, group, EVER)


def ai_commits(ranked: Ranked, group: int) -> int:
    """The counted commits of a row in the window that an AI agent made, or that are declared as made with one."""
    if ranked.groups.kinds[group] == "agent":
        return ranked.ranking.authored[group]
    named = ranked.log.named
    return sum(
        named.count(entry, ranked.window)
        for entry in ranked.credits.declared.get(group, ())
        if ranked.rules.merges or not named.is_merge[entry]
    )


def named_emails(ranked: Ranked, group: int) -> Counter[str]:
    """How many commits of others name each e-mail of a row, in all of history."""
    named, people, of = ranked.log.named, ranked.people, ranked.groups.of
    found: Counter[str] = Counter()
    for entry in ranked.credits.entries.get(group, ()):
        count = named.count(entry, EVER)
        for email in {people.emails[person] for person in named.sets[entry] if of[person] == group}:
            found[email] += count
    return found


def years(ranked: Ranked, group: int) -> dict[int, tuple[int, int, int]]:
    """A row's commits, merges and co-authored commits in each year of all of history, without odd dates."""
    log = ranked.log
    commits: Counter[int] = Counter()
    merges: Counter[int] = Counter()
    named: Counter[int] = Counter()
    for person in ranked.groups.members[group]:
        _add_years(commits, log.within(person, False, log.ordinary))
        _add_years(merges, log.within(person, True, log.ordinary))
    for entry in ranked.credits.entries.get(group, ()):
        _add_years(named, log.named.within(entry, log.ordinary))
    return {year: (commits[year], merges[year], named[year]) for year in sorted({*commits, *merges, *named})}


def _add_years(found: Counter[int], dates: array[int]) -> None:
    low = 0
    while low < len(dates):
        year = year_of(dates[low])
        high = bisect_left(dates, year_start(year + 1), low)
        found[year] += high - low
        low = high
