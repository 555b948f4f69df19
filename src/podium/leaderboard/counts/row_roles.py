"""The roles that trailers such as ``Reviewed-by`` give to people. They are shown, and not ranked."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from podium.leaderboard.board_data import Ranked
from podium.leaderboard.role_names import ROLE_NAMES

ROLES = tuple(role.field for role in ROLE_NAMES)


@dataclasses.dataclass(frozen=True, slots=True)
class RoleCounts:
    """The number of commits of the window in which a group has each role; groups without any are left out."""

    of: dict[int, list[int]]

    @property
    def size(self) -> int:
        return 400 * len(self.of)


def role_counts(ranked: Ranked) -> RoleCounts:
    """Count the roles of each group under the board's rules.

    Raises:
        BadCommitLog: the commit log is damaged.
    """
    rules = ranked.rules
    key = ("role_counts", *rules.joining, rules.merges, rules.since, rules.until)
    return ranked.data.part(key, lambda: _count(ranked), usual=False)


def _count(ranked: Ranked) -> RoleCounts:
    roles, of = ranked.data.roles, ranked.groups.of
    found: dict[int, list[int]] = {}
    for entry, count in enumerate(roles.counts(ranked.window)):
        if not count or (roles.is_merge[entry] and not ranked.rules.merges):
            continue
        # Two addresses of one group in one role are one.
        for group, role in {(of[member >> 3], member & 7) for member in roles.sets[entry]}:
            found.setdefault(group, [0] * len(ROLES))[role] += count
    return RoleCounts(found)


@dataclasses.dataclass(frozen=True, slots=True)
class RoleOnlyPeople:
    number: int
    size: int = 100


def role_only_people(ranked: Ranked) -> int:
    """How many people only have roles, in all of history: they are neither authors nor co-authors."""
    people, groups = ranked.people, ranked.groups

    def count() -> RoleOnlyPeople:
        only = (
            kind == "human" and all(people.role_only[person] for person in members)
            for kind, members in zip(groups.kinds, groups.members, strict=True)
        )
        return RoleOnlyPeople(sum(only))

    return ranked.data.part(("role_only", *ranked.rules.joining), count, usual=ranked.usual_joining).number


def roles_of(ranked: Ranked, group: int) -> dict[str, int]:
    """The ``roles`` of a row."""
    return dict(zip(ROLES, role_counts(ranked).of.get(group, [0] * len(ROLES)), strict=True))


def add_roles(ranked: Ranked, document: dict[str, Any], shown: Sequence[int] | None = None) -> None:
    """Add ``roles`` to each row of a board's document; ``shown``: the groups of its view, by default all."""
    first, rows = document["offset"], document["top_contributors"]
    shown = ranked.ranking.order if shown is None else shown
    for group, row in zip(shown[first : first + len(rows)], rows, strict=True):
        row["roles"] = roles_of(ranked, group)
