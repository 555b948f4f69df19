"""Rows of one full name. Pure.

Rows without an account join those of the same name, and the account that bears it, unless several accounts do: two
accounts never join. Bots, agents and people never join each other.
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
        names: see :func:`podium.leaderboard.joining.full_names.full_name`.
        commits: of the whole history.
    """

    kind: str
    has_account: bool
    names: frozenset[str]
    commits: int


@dataclasses.dataclass(frozen=True, slots=True)
class JoinedNames:
    """Attributes:
    into: the row that each row joins, or its own index.
    namesakes: for a row whose name several accounts bear, how many; it joins none of them.
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
    accounts = [index for index in those if rows[index].has_account]
    others = [index for index in those if not rows[index].has_account]
    if not others:
        return
    anchor = accounts[0] if len(accounts) == 1 else max(others, key=lambda index: rows[index].commits)
    for index in others:
        joined.into[index] = anchor
        if len(accounts) > 1:
            joined.namesakes[index] = len(accounts)
