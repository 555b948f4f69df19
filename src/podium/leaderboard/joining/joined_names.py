"""Rows of one full name. Pure.

Rows without an account join those of the same name, and the account that bears it, unless several accounts do: two
accounts never join. Bots, agents and people never join each other. A row without an account has one name, so that names
which share an address do not chain.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence

from podium.textutil.full_names import full_name, may_equal


@dataclasses.dataclass(frozen=True, slots=True)
class JoinedNames:
    """Which rows join others.

    Attributes:
        into: for each row that joins another, that other row.
        namesakes: the rows whose name several accounts bear, and how many; they join none of them.
    """

    into: dict[int, int] = dataclasses.field(default_factory=dict)
    namesakes: dict[int, int] = dataclasses.field(default_factory=dict)


def join_names(
    names: Sequence[Collection[str]],
    kinds: Sequence[str],
    accounts: Sequence[int | None],
    commits: Callable[[int], int],
) -> JoinedNames:
    """Decide which rows join which; takes time in proportion to the number of names.

    Args:
        names: those that a row shows; a row without an account has one.
        kinds: "human", "bot" or "agent".
        accounts: a row's account, or None.
        commits: returns the commits of a row in the whole history.
    """
    first: dict[tuple[str, str], int] = {}
    shared: dict[tuple[str, str], list[int]] = {}
    for row, (kind, those) in enumerate(zip(kinds, names, strict=True)):
        for name in filter(None, map(may_equal, those)):
            other = first.setdefault((kind, name), row)
            if other != row:
                shared.setdefault((kind, name), [other]).append(row)
    joined = JoinedNames()
    for (_, name), alike in shared.items():
        rows = [row for row in alike if name in map(full_name, names[row])]
        owned = [row for row in rows if accounts[row] is not None]
        others = [row for row in rows if accounts[row] is None]
        if not others:
            continue
        anchor = owned[0] if len(owned) == 1 else max(others, key=commits)
        joined.into.update((row, anchor) for row in others if row != anchor)
        if len(owned) > 1:
            joined.namesakes[anchor] = len(owned)
    return joined
