"""Rows of one full name. Pure.

Rows without an account join those of the same name, and the account that bears it, unless several accounts do: two
accounts never join, nor do two identities of the user's own mailmap. Bots, agents and people never join each other.
A row without an account has one name, so that names which share an address do not chain.
"""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True, slots=True)
class NamedRow:
    """A row before names are compared.

    Attributes:
        kind: "human", "bot" or "agent".
        has_account: it may have several names; any other row has one at most.
        is_own: it is an identity of the user's own mailmap.
        names: see :func:`podium.leaderboard.joining.full_names.full_name`.
        commits: of the whole history.
    """

    kind: str
    has_account: bool
    is_own: bool
    names: frozenset[str]
    commits: int


@dataclasses.dataclass(frozen=True, slots=True)
class JoinedNames:
    """Attributes:
    into: the row that each row joins, or its own index.
    namesakes: for a row whose name several accounts or identities bear, how many; it joins none of them.
    """

    into: array[int]
    namesakes: dict[int, int]


def join_names(rows: Sequence[NamedRow]) -> JoinedNames:
    """Decide which rows join which; takes time in proportion to the number of names."""
    bearers: dict[tuple[str, str], list[int]] = {}
    for index, row in enumerate(rows):
        for name in row.names:
            bearers.setdefault((row.kind, name), []).append(index)
    joined = JoinedNames(array("i", range(len(rows))), {})
    for those in bearers.values():
        if len(those) > 1:
            _join(rows, those, joined)
    return joined


def _join(rows: Sequence[NamedRow], those: list[int], joined: JoinedNames) -> None:
    apart = [index for index in those if rows[index].has_account]
    own = [index for index in those if rows[index].is_own]
    if len(own) > 1:
        apart += [index for index in own if not rows[index].has_account]
    fixed = set(apart)
    free = [index for index in those if index not in fixed]
    if not free:
        return
    anchor = apart[0] if len(apart) == 1 else max(free, key=lambda index: rows[index].commits)
    for index in free:
        joined.into[index] = anchor
        if len(apart) > 1:
            joined.namesakes[index] = len(apart)
