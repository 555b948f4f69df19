"""Times in seconds since the epoch, and their text. Everything is UTC."""

from __future__ import annotations

import datetime
import time

DAY = 86_400
WEEK = 7 * DAY

_EPOCH = datetime.datetime(1970, 1, 1)
_EPOCH_ORDINAL = _EPOCH.toordinal()
SINCE_SUNDAY = 4 * DAY


def iso_time(seconds: float | None) -> str | None:
    """A time from the year 1 to 9999 as ISO 8601, to the second."""
    if seconds is None:
        return None
    # Not fromtimestamp: some platforms refuse times before 1970.
    return (_EPOCH + datetime.timedelta(seconds=int(seconds))).isoformat() + "Z"


def iso_day(seconds: float) -> str:
    """``YYYY-MM-DD``; a time outside of the years 1 to 9999 gives their first or last day."""
    ordinal = int(seconds // DAY) + _EPOCH_ORDINAL
    first, last = datetime.date.min.toordinal(), datetime.date.max.toordinal()
    return datetime.date.fromordinal(min(max(ordinal, first), last)).isoformat()


def readable_time(seconds: float) -> str:
    """For people: ``2024-05-01 12:30:59 UTC``."""
    return (iso_time(seconds) or "").replace("T", " ").replace("Z", " UTC")


def current_day() -> int:
    """The current day in UTC, in days since the epoch."""
    return int(time.time()) // DAY


def day_of(seconds: int) -> int:
    """The start of the day of ``seconds``."""
    return seconds - seconds % DAY


def week_of(seconds: int) -> int:
    """The Sunday, 00:00, at which the week of ``seconds`` begins."""
    return seconds - (seconds + SINCE_SUNDAY) % WEEK


def week_number(seconds: int) -> int:
    """0 is the week of the epoch."""
    return (seconds + SINCE_SUNDAY) // WEEK


def week_start(number: int) -> int:
    """The Sunday, 00:00, at which the week of that number begins."""
    return number * WEEK - SINCE_SUNDAY


def year_of(seconds: int) -> int:
    """The year of a time; a time outside of the years 1 to 9999 gives the first or last."""
    return int(iso_day(seconds)[:4])


def year_start(year: int) -> int:
    """January 1, 00:00; the year may be 10000."""
    if year > datetime.MAXYEAR:
        return year_start(datetime.MAXYEAR) + 365 * DAY
    return (datetime.date(year, 1, 1).toordinal() - _EPOCH_ORDINAL) * DAY
