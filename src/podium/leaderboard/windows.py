"""Preset windows, and the previous window. Pure."""

from __future__ import annotations

import dataclasses
import datetime

from podium.leaderboard.rules import Rules
from podium.repositories.model import Repository
from podium.timeutil import DAY, day_of

# The months of each preset window; None is the whole history.
PRESETS: dict[str, int | None] = {"all": None, "12 months": 12, "3 months": 3, "1 month": 1}

_EPOCH = datetime.date(1970, 1, 1)


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


def months_before(seconds: int, months: int) -> str:
    """As ``YYYY-MM-DD``."""
    day = _EPOCH + datetime.timedelta(days=seconds // DAY)
    count = day.year * 12 + day.month - 1 - months
    year, month = max(count // 12, 1), count % 12 + 1
    # In a shorter month, its last day.
    for number in (day.day, 30, 29, 28):
        try:
            return datetime.date(year, month, number).isoformat()
        except ValueError:
            continue
    raise AssertionError("every month has a 28th")
