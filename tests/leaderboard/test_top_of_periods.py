"""The first rows of each period of a chart are those of the period's own board."""

from __future__ import annotations

import itertools
import random

from podium.bots.tools import Kind
from podium.leaderboard.counts.top_of_periods import top_of_periods
from podium.leaderboard.rules import Rules
from podium.timeutil import DAY, iso_day
from tests.support.boards import at
from tests.support.commit_logs import Commit
from tests.support.memory_boards import MemoryBoard

START = at("2024-01-01")


def test_each_period_has_the_first_rows_of_its_own_board() -> None:
    dice = random.Random(3)
    commits = [
        Commit(
            min(dice.randrange(9), dice.randrange(9)),
            START + dice.randrange(20 * DAY),
            dice.random() < 0.2,
            tuple(dice.sample(range(9), dice.choice((0, 0, 2)))),
        )
        for _ in range(200)
    ]
    commits += [Commit(2, date) for date in (0, -5, at("2030-01-01"))]
    kinds: list[Kind] = ["human", "human", "bot", "human", "agent", "human", "human"]
    board = MemoryBoard([0, 1, 2, 3, 4, 5, 6, 6, 0], kinds, [commits[:70], commits[70:]], at("2024-05-01"))
    # Some have fewer commits than there are periods, and some have more.
    for days, rules in itertools.product(
        (1, 9, 20), (Rules(), Rules(merges=True, co_authors=True, bots="include"), Rules(bots="only"))
    ):
        edges = [START + day * DAY for day in range(0, 21, days)]
        tops = top_of_periods(board.under(rules), edges, 3)
        assert len(tops) == len(edges) - 1
        for (low, high), top in zip(itertools.pairwise(edges), tops, strict=True):
            window = Rules.parse(since=iso_day(low), until=iso_day(high - DAY))
            alone = board.under(
                Rules(
                    merges=rules.merges,
                    bots=rules.bots,
                    co_authors=rules.co_authors,
                    since=window.since,
                    until=window.until,
                )
            ).ranking
            assert top == [(group, alone.counted[group]) for group in alone.order[:3]]
