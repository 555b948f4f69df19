"""Preset windows, and the previous window. Pure."""

from __future__ import annotations

import dataclasses

from podium.leaderboard.rules import Rules
from podium.repositories.model import Repository
from podium.timeutil import DAY, day_of

# All but the first are read as dates: "3 months" starts three months before the end.
PRESETS = ("all", "12 months", "3 months", "1 month")


def before(rules: Rules, repository: Repository) -> Rules | None:
    """``rules`` with the previous window of the same length, for people new or not; None if theirs has no beginning.

    An open window ends with the day of the count.
    """
    if rules.since is None:
        return None
    until = rules.until
    if until is None:
        until = max(day_of(repository.counted_at), rules.since) + DAY
    return dataclasses.replace(rules, since=2 * rules.since - until, until=rules.since, new=False)
