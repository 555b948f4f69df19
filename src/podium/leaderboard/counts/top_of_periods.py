"""The rows of a board with the most commits in each of several periods."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence

from podium.leaderboard.board_data import Ranked
from podium.leaderboard.counts.row_counts import counted_dates


def top_of_periods(ranked: Ranked, edges: Sequence[int], number: int) -> list[list[tuple[int, int]]]:
    """The first rows of each period as (group, counted commits), as the board of that period ranks them.

    Args:
        edges: the first second of each period, plus the end of the last one. They lie in the window.
        number: of rows per period.
    """
    window = max(edges[0], ranked.log.ordinary[0]), min(edges[-1], ranked.log.ordinary[1])
    tops: list[list[tuple[int, int]]] = [[] for _ in edges[1:]]
    on_board = ranked.ranking.ranks
    # Groups in the order of ties: of those with equal counts, the first one stays in front.
    for group in ranked.tie_break.order:
        if not on_board[group]:
            continue
        for place, count in _by_period(ranked, group, edges, window).items():
            top = tops[place]
            if len(top) < number or count > top[-1][1]:
                top.append((group, count))
                top.sort(key=lambda row: -row[1])
                del top[number:]
    return tops


def _by_period(ranked: Ranked, group: int, edges: Sequence[int], window: tuple[int, int]) -> Counter[int]:
    found: Counter[int] = Counter()
    for dates in counted_dates(ranked, group, window):
        if len(dates) < len(edges):
            found.update(bisect_right(edges, date) - 1 for date in dates)
            continue
        places = [bisect_left(dates, edge) for edge in edges]
        for place, (low, high) in enumerate(itertools.pairwise(places)):
            if high > low:
                found[place] += high - low
    return found
