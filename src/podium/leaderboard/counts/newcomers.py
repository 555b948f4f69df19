"""Who is new on a board, and who is back.

The first commit ever decides who is new, merges included even if they are not ranked: people who merged the work of
others have been there. Co-authored commits are among them if the rules count those. In a range ``A..B`` people are new
if no commit that A reaches is theirs.
"""

from __future__ import annotations

from podium.leaderboard.board_data import Ranked
from podium.leaderboard.counts.commit_log import Window
from podium.leaderboard.dates import first_day
from podium.timeutil import DAY


def end_of(ranked: Ranked) -> int:
    """The day from which preset windows count back: the last one that is drawn, but not after the count."""
    counted, last = ranked.repository.counted_at // DAY, ranked.data.last_day(merges=ranked.rules.merges).day
    return counted if last is None else min(counted, last)


def new_since(ranked: Ranked) -> int | None:
    """The start of the window, or 12 months before the end of the history: people who began later are new.

    None if the window has no beginning: everyone in it is new.
    """
    if ranked.rules.windowed:
        return ranked.rules.since
    return first_day("12 months", end_of(ranked)) * DAY


def is_new(ranked: Ranked, group: int, since: int | None) -> bool | None:
    """Whether a row's first commit ever lies in the window, where it has counted ones, and not before
    :func:`new_since`; of a range, whether it has none before. None: unknown.
    """
    if ranked.repository.base is not None:
        return ranked.ranking.counted[group] > 0 and group in ranked.new if ranked.knows_new else None
    low, high = _period(ranked, since)
    return ranked.ranking.counted[group] > 0 and low <= ranked.began.times[group] < high


def _period(ranked: Ranked, since: int | None) -> Window:
    low, high = ranked.window
    return max(low, low if since is None else since), high


def is_back(ranked: Ranked, group: int) -> bool | None:
    """Whether a row has counted commits in the window and before the previous window, but none in that one.

    None: it is a range, and the dates of the commits before it are unknown.
    """
    if ranked.repository.base is not None:
        return None
    previous = ranked.previous
    if previous is None or previous.rules.since is None:
        return False
    return (
        ranked.ranking.counted[group] > 0
        and previous.ranking.counted[group] == 0
        and ranked.tie_break.first[group] < previous.rules.since
    )


def new_people(ranked: Ranked, since: int | None) -> int:
    """How many rows of the board are new."""
    if ranked.repository.base is not None:
        return sum(bool(is_new(ranked, group, since)) for group in ranked.ranking.order)
    (low, high), first = _period(ranked, since), ranked.began.times
    return sum(low <= first[group] < high for group in ranked.ranking.order)
