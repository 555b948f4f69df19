"""A person of a board as a document: everything that the board knows about one row."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from podium.leaderboard.board import Document, board_repository, entries
from podium.leaderboard.board_data import Ranked
from podium.leaderboard.counts.row_counts import counted_dates
from podium.leaderboard.counts.row_roles import roles_of
from podium.leaderboard.counts.yearly_ranks import ranks_by_year
from podium.leaderboard.rows.explain import commits_url, read_explanation
from podium.timeutil import DAY, iso_day, week_of, year_start

_NEIGHBOR = ("rank", "person", "username", "name", "commitCount")


@dataclasses.dataclass(frozen=True, slots=True)
class DailyCommits:
    """The counted commits of a row in the whole history, by day since the epoch and without odd dates.

    Attributes:
        ai: those of ``all`` that an AI agent made, or that are declared as made with one.
    """

    all: Counter[int]
    ai: Counter[int]


def daily_commits(ranked: Ranked, group: int) -> DailyCommits:
    ordinary, named = ranked.log.ordinary, ranked.log.named
    counted = _days(counted_dates(ranked, group, ordinary))
    if ranked.groups.kinds[group] == "agent":
        return DailyCommits(counted, counted)
    declared = (
        named.within(entry, ordinary)
        for entry in ranked.credits.declared.get(group, ())
        if ranked.rules.merges or not named.is_merge[entry]
    )
    return DailyCommits(counted, _days(declared))


def _days(dates: Iterator[Iterable[int]]) -> Counter[int]:
    return Counter(when // DAY for those in dates for when in those)


def read_person(ranked: Ranked, group: int, *, show_emails: bool) -> Document:
    """Describe the row of one group, which may not be on the board.

    Raises:
        BadCommitLog: the commit log is damaged.
    """
    document = read_explanation(ranked, group, show_emails=show_emails)
    document["row"]["roles"] = roles_of(ranked, group)
    order, rank = ranked.ranking.order, ranked.ranking.ranks[group]
    return {
        "repository": board_repository(ranked.repository),
        "head": ranked.repository.head,
        "rules": ranked.rules.as_dict(),
        "total": len(order),
        **document,
        "years": _years(ranked, group, document),
        "weeks": _weeks(daily_commits(ranked, group)),
        "previous": _neighbor(ranked, order[rank - 2], show_emails=show_emails) if rank > 1 else None,
        "next": _neighbor(ranked, order[rank], show_emails=show_emails) if 0 < rank < len(order) else None,
    }


def _neighbor(ranked: Ranked, group: int, *, show_emails: bool) -> Document:
    [row] = entries(ranked, [group], show_emails=show_emails)
    return {name: row[name] for name in _NEIGHBOR}


def _years(ranked: Ranked, group: int, document: Document) -> list[dict[str, Any]]:
    ranks = ranks_by_year(ranked, group)
    found = []
    for year in document["years"]:
        first, end = year_start(year["year"]), year_start(year["year"] + 1)
        at = ranks.get(year["year"])
        found.append(
            {
                **year,
                "rank": None if at is None else at.rank,
                "total": None if at is None else at.of,
                "countedCommits": _between(ranked, group, first, end) if at is None else at.commits,
                "commitsUrl": commits_url(ranked, document["row"], first, end) if year["commitCount"] else None,
            }
        )
    return found


def _between(ranked: Ranked, group: int, first: int, end: int) -> int:
    since, until = ranked.log.ordinary
    return sum(map(len, counted_dates(ranked, group, (max(first, since), min(end, until)))))


def _weeks(daily: DailyCommits) -> list[dict[str, Any]]:
    counted, ai = Counter[int](), Counter[int]()
    for of, found in ((daily.all, counted), (daily.ai, ai)):
        for day, number in of.items():
            found[week_of(day * DAY)] += number
    return [{"week": iso_day(week), "commitCount": counted[week], "aiCount": ai[week]} for week in sorted(counted)]
