"""What is compared of boards, windows and people: figures, commits per day, and the accounts that boards share."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

from podium.leaderboard.board import Document, entries
from podium.leaderboard.board_data import Ranked
from podium.leaderboard.counts.commit_log import EVER
from podium.leaderboard.counts.newcomers import new_people, new_since
from podium.leaderboard.counts.presence import presence
from podium.leaderboard.counts.row_counts import counted_dates
from podium.timeutil import DAY, iso_day, week_number, week_start


@dataclasses.dataclass(frozen=True, slots=True)
class Compared:
    """One board under rules, or one person of it.

    Attributes:
        figures: the fields of the document; those of a person are others.
        days: the ranked commits of each day since the epoch, without dates that cannot be true.
        accounts: the ids of the ranked rows' accounts.
    """

    figures: Document
    days: dict[int, int]
    accounts: frozenset[int] = frozenset()

    @property
    def size(self) -> int:
        return 120 * len(self.days) + 60 * len(self.accounts) + 2000

    def weeks(self) -> list[dict[str, Any]]:
        found: Counter[int] = Counter()
        for day, count in self.days.items():
            found[week_number(day * DAY)] += count
        return [{"week": iso_day(week_start(week)), "commits": found[week]} for week in sorted(found)]


def compared_board(ranked: Ranked) -> Compared:
    return ranked.data.part(("compared", ranked.rules), lambda: _board(ranked), usual=False)


def compared_person(ranked: Ranked, group: int) -> Compared:
    """One row, on the board or not."""
    row = entries(ranked, [group], show_emails=False)[0]
    days = _days(ranked, [group])
    return Compared({"row": row, **_ends(days)}, days)


def shared_accounts(compared: list[Compared | None]) -> list[list[int | None]]:
    """How many accounts each board shares with each other one; None with itself, and if there is no board."""
    return [
        [
            None if one is None or other is None or one is other else len(one.accounts & other.accounts)
            for other in compared
        ]
        for one in compared
    ]


def _board(ranked: Ranked) -> Compared:
    ranking, lately = ranked.ranking, presence(ranked)
    owners, contributors = ranked.groups.owners, ranked.accounts.contributors
    days = _days(ranked, ranking.order)
    ids = (contributors[owner]["account_id"] for owner in map(owners.__getitem__, ranking.order) if owner is not None)
    figures = {
        "commits": ranking.total,
        "people": len(ranking.order),
        **lately.numbers(ranking.order),
        "newPeople": new_people(ranked, new_since(ranked)),
        "busFactor": ranking.people_for_half(),
        **_ends(days),
    }
    return Compared(figures, days, frozenset(number for number in ids if number is not None))


def _days(ranked: Ranked, groups: Any) -> dict[int, int]:
    window = ranked.log.ordinary if ranked.window == EVER else ranked.window
    found: Counter[int] = Counter()
    for group in groups:
        for dates in counted_dates(ranked, group, window):
            found.update(when // DAY for when in dates)
        ranked.data.check()
    return dict(found)


def _ends(days: dict[int, int]) -> dict[str, str | None]:
    ends = (min(days), max(days)) if days else (None, None)
    first, last = (None if day is None else iso_day(day * DAY) for day in ends)
    return {"firstCommit": first, "lastCommit": last}
