"""How much of the work on a repository is done, as one percentage over all phases that never goes back.

It is part of the progress in the repository's row, so it survives the worker that wrote it. A new submission clears the
progress, and begins at 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

NAME = "overallPercent"

# Parts of the time of a first count from an address, in order (docs/page.md: "While it counts").
_PARTS = {"preparing": 5, "receiving": 40, "resolving": 5, "counting": 35, "saving": 15}
# Where counting ends, if a look-up of accounts follows, and if none does.
_COUNTED = {True: 60.0, False: 98.0}
# A worker has begun.
_BEGUN = 1.0
# The rest is for the last step, which completes the repository.
_MOST = 99.9


def saved_percent(progress: str | None) -> float:
    """The percentage in a row's ``progress``."""
    return float(json.loads(progress).get(NAME) or 0) if progress else 0.0


def counted_percent(progress: str | None) -> float:
    """The percentage once commits are counted, where accounts are looked up next. Small counts save none themselves."""
    return max(saved_percent(progress), _COUNTED[True])


class CountPercent:
    """The percentage while commits are counted.

    Args:
        before: the row's percentage, which an earlier worker may have reached.
        look_up: whether a look-up of accounts follows.
    """

    def __init__(self, before: float, *, look_up: bool) -> None:
        self._percent = max(before, _BEGUN)
        self._end = _COUNTED[look_up]
        self._shares = dict.fromkeys(_PARTS, 0.0)

    def note(self, phase: str, share: float) -> None:
        """``share``: of the phase, 0 to 1. The phases before it are done."""
        for each in _PARTS:
            if each == phase:
                break
            self._shares[each] = 1.0
        self._shares[phase] = max(self._shares[phase], min(share, 1.0))

    def note_counted(self, share: float) -> None:
        """Note the share of commits counted while others are received."""
        self._shares["counting"] = max(self._shares["counting"], min(share, 1.0))

    @property
    def share(self) -> float:
        """The part of this count that is done, 0 to 1."""
        return sum(_PARTS[phase] * share for phase, share in self._shares.items()) / sum(_PARTS.values())

    @property
    def percent(self) -> float:
        """The percentage of all work."""
        self._percent = max(self._percent, _BEGUN + (self._end - _BEGUN) * self.share)
        return round(self._percent, 2)


def look_up_percent(before: Mapping[str, Any], done: int) -> float:
    """The percentage once ``done`` of the ``total`` e-mails of the progress ``before`` are looked up."""
    percent, total = float(before.get(NAME) or 0), int(before.get("total") or 0)
    left, left_now = total - int(before.get("done") or 0), total - done
    if left <= 0:
        return percent
    return round(min(_MOST, 100 - (100 - percent) * max(0, left_now) / left), 3)
