"""The commits of a window as parts: what is ranked, where the rest went, and who made them."""

from __future__ import annotations

import dataclasses
from collections import Counter

from podium.leaderboard.board_data import Ranked
from podium.leaderboard.counts.row_counts import ai_commits
from podium.leaderboard.ranking import is_ranked


@dataclasses.dataclass(frozen=True, slots=True)
class WindowParts:
    """Each commit of the window is in one part.

    Attributes:
        ranked: authored by a row of the board.
        merges: merges, if the rules leave them out.
        bots, agents, people: by bots, AI agents or people whom the rules leave out.
        earlier: by others who are not new, if the rules rank only new ones.
        removed: by people who were removed on request.
    """

    ranked: int
    merges: int
    bots: int
    agents: int
    people: int
    earlier: int
    removed: int

    @property
    def total(self) -> int:
        return self.ranked + self.merges + self.bots + self.agents + self.people + self.earlier + self.removed


def commit_parts(ranked: Ranked) -> WindowParts:
    ranking, rules = ranked.ranking, ranked.rules
    by_kind = _by_kind(ranked)
    left_out = {kind: 0 if is_ranked(kind, rules) else by_kind[kind] for kind in ("bot", "agent", "human", "removed")}
    allowed = by_kind.total() - sum(left_out.values())
    ranked_commits = sum(map(ranking.authored.__getitem__, ranking.order)) if rules.new else allowed
    return WindowParts(
        ranked=ranked_commits,
        merges=0 if rules.merges else ranking.merges,
        bots=left_out["bot"],
        agents=left_out["agent"],
        people=left_out["human"],
        earlier=allowed - ranked_commits,
        removed=left_out["removed"],
    )


@dataclasses.dataclass(frozen=True, slots=True)
class WindowSplit:
    """The commits of the window by who made them, whatever the board ranks; each commit is in one part.

    Attributes:
        ai: commits of AI agents, and those that are declared as made with AI.
        by_bots: commits of bots and AI agents, declared or not.
    """

    human: int
    bot: int
    ai: int
    by_bots: int


def commit_split(ranked: Ranked) -> WindowSplit:
    by_kind = _by_kind(ranked)
    by_bots = by_kind["bot"] + by_kind["agent"]
    for group in ranked.credits.declared:
        declared = ai_commits(ranked, group)
        by_kind[ranked.groups.kinds[group]] -= declared
        by_kind["agent"] += declared
    # Only people are removed.
    return WindowSplit(by_kind["human"] + by_kind["removed"], by_kind["bot"], by_kind["agent"], by_bots)


def _by_kind(ranked: Ranked) -> Counter[str]:
    authored = ranked.ranking.authored
    found: Counter[str] = Counter()
    for group in ranked.credits.tools:
        found[ranked.groups.kinds[group]] += authored[group]
    found["human"] = sum(authored) - found.total()
    return found


def agents(ranked: Ranked) -> list[tuple[str, int]]:
    """The AI agents with the number of commits in the window that each made or is named in, most first."""
    log, groups, rules, window = ranked.log, ranked.groups, ranked.rules, ranked.window
    people, bots = ranked.people, ranked.data.bots
    products = {
        person: bots.product(people.emails[person], people.names[person])
        for group in ranked.credits.tools
        if groups.kinds[group] == "agent"
        for person in groups.members[group]
    }
    found: Counter[str] = Counter()
    for person, product in products.items():
        found[product] += log.count(person, False, window)
        if rules.merges:
            found[product] += log.count(person, True, window)
    for entry in ranked.credits.naming_agents:
        if log.named.is_merge[entry] and not rules.merges:
            continue
        named = {products[person] for person in log.named.sets[entry] if person in products}
        for product in named - {products.get(log.named.authors[entry])}:
            found[product] += log.named.count(entry, window)
    return sorted(((name, count) for name, count in found.items() if count), key=lambda each: (-each[1], each[0]))
