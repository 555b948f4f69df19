"""Whom the commits that name others credit, and which of them are declared as made with AI. Pure.

A group is credited once for a commit whose author is outside of it and that names any of its people. So it is never
credited for its own commits, nor twice for two of its addresses, and no group has more commits than the repository.
"""

from __future__ import annotations

import dataclasses

from podium.leaderboard.counts.commit_log import CommitLog
from podium.leaderboard.joining.grouping import Groups


@dataclasses.dataclass(frozen=True, slots=True)
class Credits:
    """What the entries of :attr:`CommitLog.named` mean for the groups of a board.

    Attributes:
        credited: the groups that each entry credits.
        entries: the entries that credit a group.
        naming_agents: the entries whose commits name an AI agent.
        declared: those of them whose author is none, by the author's group.
        tools: the groups of bots and AI agents.
    """

    credited: list[tuple[int, ...]]
    entries: dict[int, list[int]]
    naming_agents: list[int]
    declared: dict[int, list[int]]
    tools: list[int]

    @property
    def size(self) -> int:
        return 150 * len(self.credited) + 150 * (len(self.entries) + len(self.declared))


def credit(log: CommitLog, groups: Groups) -> Credits:
    credited: list[tuple[int, ...]] = []
    entries: dict[int, list[int]] = {}
    naming_agents: list[int] = []
    declared: dict[int, list[int]] = {}
    # The groups of each set: entries share them.
    found: dict[int, frozenset[int]] = {}
    of, kinds = groups.of, groups.kinds
    for entry, (author, members) in enumerate(zip(log.named.authors, log.named.sets, strict=True)):
        named = found.get(id(members))
        if named is None:
            named = found[id(members)] = frozenset(of[person] for person in members)
        own = of[author]
        others = tuple(sorted(named - {own}))
        credited.append(others)
        for group in others:
            entries.setdefault(group, []).append(entry)
        if any(kinds[group] == "agent" for group in named):
            naming_agents.append(entry)
            if kinds[own] != "agent":
                declared.setdefault(own, []).append(entry)
    tools = [group for group, kind in enumerate(kinds) if kind != "human"]
    return Credits(credited, entries, naming_agents, declared, tools)
