"""The rows that a board would have if an equal full name joined none."""

from __future__ import annotations

import dataclasses
import itertools

from podium.leaderboard.board_data import Ranked
from podium.leaderboard.rules import Rules


@dataclasses.dataclass(frozen=True, slots=True)
class JoinedRows:
    """How many more rows each group on the board would be; groups that would be one row are left out."""

    of: dict[int, int]

    @property
    def size(self) -> int:
        return 100 * len(self.of)


def joined_rows(ranked: Ranked) -> JoinedRows:
    """Only what counts on this board makes a row: a part without counted commits in the window is none."""
    rules = ranked.rules
    return ranked.data.part(("joined_rows", rules), lambda: _count(ranked), usual=rules == Rules())


def _count(ranked: Ranked) -> JoinedRows:
    groups, by_person = ranked.groups, ranked.ranking.by_person
    counted = _credited_by_namesakes(ranked) if ranked.rules.co_authors else set()
    found: dict[int, int] = {}
    for group in itertools.compress(range(len(groups.members)), groups.joined):
        if ranked.ranking.ranks[group]:
            parts = {groups.parts[person] for person in groups.members[group]}
            alone = {groups.parts[person] for person in groups.members[group] if by_person[person]}
            more = len(alone | (parts & counted)) - 1
            if more > 0:
                found[group] = more
    return JoinedRows(found)


def _credited_by_namesakes(ranked: Ranked) -> set[int]:
    """The parts of groups that another part of the same group names as co-author: alone, each would be credited."""
    groups, named = ranked.groups, ranked.log.named
    found: set[int] = set()
    for entry, count in enumerate(named.counts(ranked.window)):
        author = named.authors[entry]
        if count and groups.joined[groups.of[author]] and (ranked.rules.merges or not named.is_merge[entry]):
            others = {groups.parts[person] for person in named.sets[entry]}
            found |= others - {groups.parts[author]}
    return found
