"""Windows of time: the one before another, and those that people ask for most. Pure."""

from __future__ import annotations

import dataclasses
import datetime

from podium.leaderboard.rules import Rules
from podium.storage.session import Row
from podium.timeutil import DAY, WEEK, week_of

# The window names, and how many months before its last day each begins; None: at the beginning.
PRESETS: dict[str, int | None] = {"all": None, "12 months": 12, "3 months": 3, "1 month": 1}

_EPOCH = datetime.date(1970, 1, 1)


def before(rules: Rules, repository: Row) -> Rules | None:
    """The rules with the window of the same length before theirs; None where it has no beginning.

    A window without an end ends with the week in which the repository was counted.
    """
    if rules.since is None:
        return None
    until = rules.until
    if until is None:
        until = max(week_of(int(repository["commits_processed_at"])), rules.since) + WEEK
    return dataclasses.replace(rules, since=2 * rules.since - until, until=rules.since)


def months_before(seconds: int, months: int) -> str:
    """The day so many months before that of ``seconds``, as ``YYYY-MM-DD``."""
    day = _EPOCH + datetime.timedelta(days=seconds // DAY)
    count = day.year * 12 + day.month - 1 - months
    year, month = max(count // 12, 1), count % 12 + 1
    # The 31st of a month that has none is its last day.
    for number in (day.day, 30, 29, 28):
        try:
            return datetime.date(year, month, number).isoformat()
        except ValueError:
            continue
    raise AssertionError("every month has a 28th")
