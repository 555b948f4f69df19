"""Who is active, who joined and who left, in the year before the counted commit.

Everything is about the commits that the rules count, in all of history: a window decides which rows are on the board,
not when they were active.
"""

from __future__ import annotations

import dataclasses
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

from podium.leaderboard.board_data import Ranked
from podium.repositories.model import Repository
from podium.timeutil import DAY

YEAR = 365 * DAY
# A row with a later commit has a dot.
RECENT = 90 * DAY

_ACTIVE, _JOINED, _LEFT, _RECENT = 1, 2, 4, 8
_BIT = {"active": _ACTIVE, "joined": _JOINED, "left": _LEFT}
_NEVER = -(2**63)


@dataclasses.dataclass(frozen=True, slots=True)
class Presence:
    """What the last two years say about each group.

    Attributes:
        moment: the end of these years: see :func:`moment_of`.
        bits: of each group, a sum of the bits above.
    """

    moment: int
    bits: bytearray

    @property
    def size(self) -> int:
        return len(self.bits)

    def is_recent(self, group: int) -> bool:
        """Whether the group has a counted commit in the 90 days before the moment."""
        return bool(self.bits[group] & _RECENT)

    def are(self, what: str, groups: Sequence[int]) -> list[int]:
        """Those of ``groups`` that are ``"active"`` or have ``"joined"`` or ``"left"``, in the same order."""
        bits, bit = self.bits, _BIT[what]
        return [group for group in groups if bits[group] & bit]

    def numbers(self, groups: Sequence[int]) -> dict[str, int]:
        """How many of ``groups`` are active, joined, left."""
        found = Counter(map(self.bits.__getitem__, groups))
        return {what: sum(count for bits, count in found.items() if bits & bit) for what, bit in _BIT.items()}


def moment_of(repository: Repository) -> int:
    """When the counted commit was committed, or when it was counted if that is earlier or the date cannot be true."""
    committed, counted = repository.head_committed_at, repository.counted_at
    return counted if committed is None or committed < DAY else min(committed, counted)


def presence(ranked: Ranked) -> Presence:
    """The presence of all groups, on the board or not."""
    rules = ranked.rules
    key = ("presence", *rules.joining, rules.merges, rules.co_authors)
    return ranked.data.part(key, lambda: _presence(ranked), usual=ranked.usual_joining)


def _presence(ranked: Ranked) -> Presence:
    moment = moment_of(ranked.repository)
    # Dates before the first one that can be true are in no year.
    year, year_before, recent = (max(moment - span, DAY - 1) for span in (YEAR, 2 * YEAR, RECENT))
    new = _new(ranked)
    bits = bytearray(
        (_ACTIVE + (last > recent) * _RECENT + (first > year and (new is None or group in new)) * _JOINED)
        if last > year
        else (last > year_before) * _LEFT
        for group, (last, first) in enumerate(zip(_latest(ranked, moment), ranked.began.times, strict=True))
    )
    return Presence(moment, bits)


def _new(ranked: Ranked) -> set[int] | None:
    """The groups that may have joined; None: all."""
    if ranked.repository.base is None:
        return None
    return ranked.new if ranked.knows_new else set()


def _latest(ranked: Ranked, moment: int) -> list[int]:
    """The date of each group's last counted commit until ``moment``."""
    log, of, rules = ranked.log, ranked.groups.of, ranked.rules
    found = [_NEVER] * len(ranked.groups.members)
    starts, dates, named = log.starts, log.dates, log.named
    for person, end in enumerate(log.lasts):
        last = end if end <= moment else _last(dates, starts[2 * person], starts[2 * person + 1], moment)
        group = of[person]
        found[group] = max(found[group], last)
    if rules.merges:
        for person in log.mergers:
            last = _last(dates, starts[2 * person + 1], starts[2 * person + 2], moment)
            found[of[person]] = max(found[of[person]], last)
    if rules.co_authors:
        for entry, groups in enumerate(ranked.credits.credited):
            if groups and (rules.merges or not named.is_merge[entry]):
                last = _last(named.dates, named.starts[entry], named.starts[entry + 1], moment)
                for group in groups:
                    found[group] = max(found[group], last)
    return found


def _last(dates: array[int], low: int, high: int, moment: int) -> int:
    at = bisect_right(dates, moment, low, high)
    return dates[at - 1] if at > low else _NEVER
