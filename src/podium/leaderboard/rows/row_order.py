"""Rows in the order of a column.

Numbers and last commits begin with the largest, names and first commits with the smallest. Equal rows stay in the order
of their ranks, and rows without a value come last, also in reverse.
"""

from __future__ import annotations

import dataclasses
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from podium.leaderboard.board_data import Ranked
from podium.leaderboard.counts.commit_log import EVER, Window
from podium.leaderboard.counts.presence import presence
from podium.leaderboard.counts.row_counts import ai_commits
from podium.leaderboard.rows.row_names import shown_name, written_name
from podium.leaderboard.view import WHOLE, View
from podium.textutil.fold import fold

Row = TypeVar("Row")

LARGEST_FIRST = ("commits", "last", "merges", "co-authored", "ai")


def in_order(rows: Iterable[Row], value: Callable[[Row], Any], *, largest_first: bool, reverse: bool) -> list[Row]:
    """``rows``, which are in the order of their ranks, in the order of their values; None and "" are not values."""
    given: list[Row] = []
    missing: list[Row] = []
    for row in rows:
        (missing if value(row) in (None, "") else given).append(row)
    given.sort(key=value, reverse=largest_first != reverse)
    return given + missing


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """The groups of a view, in its order."""

    groups: Sequence[int]

    @property
    def size(self) -> int:
        return 4 * len(self.groups)

    def places(self) -> dict[int, int]:
        """The place of each group, from 0."""
        return {group: place for place, group in enumerate(self.groups)}


def shown(ranked: Ranked, view: View, *, show_emails: bool) -> Shown:
    """The groups on the board that ``view`` shows.

    Args:
        show_emails: False hides the e-mails within names, also from the order.
    """
    if view == WHOLE:
        return Shown(ranked.ranking.order)
    key = ("shown", ranked.rules, view, show_emails and view.sort == "name")
    return ranked.data.part(key, lambda: _shown(ranked, view, show_emails=show_emails), usual=False)


def _shown(ranked: Ranked, view: View, *, show_emails: bool) -> Shown:
    groups: Sequence[int] = ranked.ranking.order
    if view.people != "all":
        groups = presence(ranked).are(view.people, groups)
    if not view.is_sorted:
        return Shown(array("i", groups))
    value: Callable[[int], Any] = _values(ranked, view.sort, groups, show_emails=show_emails).__getitem__
    largest_first = view.sort in LARGEST_FIRST
    return Shown(array("i", in_order(groups, value, largest_first=largest_first, reverse=view.reverse)))


def _values(
    ranked: Ranked, column: str, groups: Sequence[int], *, show_emails: bool
) -> dict[int, Any] | Sequence[int | None]:
    match column:
        case "commits":
            return ranked.ranking.counted
        case "merges":
            return _sums(ranked, ranked.log.merges(ranked.window))
        case "co-authored":
            return _co_authored(ranked)
        case "ai":
            found = dict.fromkeys(groups, 0)
            for group in {*ranked.credits.declared, *ranked.credits.tools} & found.keys():
                found[group] = ai_commits(ranked, group)
            return found
        case "name":
            names = _folded_names(ranked, show_emails=show_emails).names
            return {group: names[group] or _folded_name(ranked, group, show_emails=show_emails) for group in groups}
    return _ends(ranked, last=column == "last")


@dataclasses.dataclass(frozen=True, slots=True)
class FoldedNames:
    """The names of rows, folded; None if a row has several people and the window decides whose name it shows."""

    names: list[str | None]

    @property
    def size(self) -> int:
        return 70 * len(self.names)


def _folded_names(ranked: Ranked, *, show_emails: bool) -> FoldedNames:
    def make() -> FoldedNames:
        members, owners, contributors = ranked.groups.members, ranked.groups.owners, ranked.accounts.contributors
        return FoldedNames(
            [
                _folded_name(ranked, group, show_emails=show_emails)
                if len(members[group]) == 1 or (owner is not None and contributors[owner]["name"])
                else None
                for group, owner in enumerate(owners)
            ]
        )

    key = ("folded_names", *ranked.rules.joining, show_emails)
    return ranked.data.part(key, make, usual=ranked.usual_joining)


def _folded_name(ranked: Ranked, group: int, *, show_emails: bool) -> str:
    return fold(shown_name(written_name(ranked, group), show_emails=show_emails))


def _sums(ranked: Ranked, counts: dict[int, int]) -> list[int]:
    found = [0] * len(ranked.groups.members)
    for person, count in counts.items():
        found[ranked.groups.of[person]] += count
    return found


def _co_authored(ranked: Ranked) -> list[int]:
    found = [0] * len(ranked.groups.members)
    for count, groups in zip(ranked.log.named.counts(ranked.window), ranked.credits.credited, strict=True):
        for group in groups if count else ():
            found[group] += count
    return found


def _ends(ranked: Ranked, *, last: bool) -> list[int | None]:
    """The first or last counted commit of each group in the window, without dates that cannot be true."""
    log, rules, of = ranked.log, ranked.rules, ranked.groups.of
    window = log.ordinary if ranked.window == EVER else ranked.window
    found: list[int | None] = [None] * len(ranked.groups.members)
    better = max if last else min

    def note(group: int, when: int | None) -> None:
        known = found[group]
        if when is not None:
            found[group] = when if known is None else better(known, when)

    starts, dates, named = log.starts, log.dates, log.named
    since, until = window
    for person, (begin, end) in enumerate(zip(log.firsts, log.lasts, strict=True)):
        if begin < until and end >= since:
            when = end if last else begin
            if not since <= when < until:
                note(of[person], _end(dates, starts[2 * person], starts[2 * person + 1], window, last=last))
                continue
            # Most people have all of their commits in the window, and are a row of their own.
            group = of[person]
            known = found[group]
            found[group] = when if known is None else better(known, when)
    for person in log.mergers if rules.merges else ():
        note(of[person], _end(dates, starts[2 * person + 1], starts[2 * person + 2], window, last=last))
    for entry, groups in enumerate(ranked.credits.credited if rules.co_authors else ()):
        if groups and (rules.merges or not named.is_merge[entry]):
            found_end = _end(named.dates, named.starts[entry], named.starts[entry + 1], window, last=last)
            for group in groups:
                note(group, found_end)
    return found


def _end(dates: array[int], low: int, high: int, window: Window, *, last: bool) -> int | None:
    since, until = window
    if last:
        at = bisect_left(dates, until, low, high) - 1
        return dates[at] if at >= low and dates[at] >= since else None
    at = bisect_left(dates, since, low, high)
    return dates[at] if at < high and dates[at] < until else None
