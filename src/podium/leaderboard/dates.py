"""Dates as people type them: an expression names a span of days in UTC. Pure.

``docs/counting.md`` has the table. Days are numbers since the epoch.
"""

from __future__ import annotations

import calendar
import datetime
import re

from podium.errors import BadRule

# The first and the last day.
_Span = tuple[datetime.date, datetime.date]

_EPOCH = datetime.date(1970, 1, 1).toordinal()
_MAX_LENGTH = 100

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9][0-9:.,]*(?:Z| ?[+-][0-9:.,]+)?")
_DATE = re.compile(r"([0-9]{4})(?:([-/.])([0-9]{1,2})(?:\2([0-9]{1,2}))?)?")
_QUARTER = re.compile(r"([0-9]{4})[- ]?Q([0-9])")

_DAYS = {"DAY": 1, "WEEK": 7}
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_UNIT = f"({'|'.join(_DAYS | _MONTHS)})"
_NUMBERS = {"A": 1, "AN": 1} | {
    word: number
    for number, word in enumerate(
        ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "TEN")
    )
}
# More digits than any day needs.
_NUMBER = f"([0-9]{{1,9}}|{'|'.join(_NUMBERS)})"
_NEAR = {"NOW": 0, "TODAY": 0, "YESTERDAY": 1}
_CALENDAR = re.compile(rf"(THIS|LAST) {_UNIT}")
_LATEST = re.compile(rf"LAST {_NUMBER} ?{_UNIT}S?")
_AGO = re.compile(rf"{_NUMBER} ?{_UNIT}S?(?: AGO)?")
# What git accepts between two words.
_BETWEEN = re.compile(r"[\s._-]+", re.ASCII)


def first_day(text: str, today: int) -> int:
    """The first day of the span that ``text`` names.

    Raises:
        BadRule: it names none.
    """
    return _span(text, today)[0].toordinal() - _EPOCH


def last_day(text: str, today: int) -> int:
    """The last day of the span that ``text`` names.

    Raises:
        BadRule: it names none.
    """
    return _span(text, today)[1].toordinal() - _EPOCH


def depends_on_today(text: str) -> bool:
    """Whether ``text`` may name other days tomorrow."""
    try:
        return _written(_normal(text)) is None
    except (ValueError, OverflowError):
        return False


def _span(text: str, today: int) -> _Span:
    shown, normal = repr(text.strip()[:40]), _normal(text)
    try:
        span = _written(normal) or _counted(_BETWEEN.sub(" ", normal), today + _EPOCH)
    except (ValueError, OverflowError):
        raise BadRule(f"{shown} is not in the calendar of the years 1 to 9999.") from None
    if span is None:
        raise BadRule(
            f"{shown} names no day: write a day as YYYY-MM-DD, a span as 2024-01, 2024-Q1 or 2024, or words such as "
            "yesterday, last month or 3 months ago."
        )
    return span


def _normal(text: str) -> str:
    return text.strip().upper() if len(text) <= _MAX_LENGTH and text.isascii() else ""


def _written(text: str) -> _Span | None:
    """A span of the calendar; None if ``text`` has another form."""
    if found := _DATE.fullmatch(text):
        year, month, day = int(found[1]), found[3], found[4]
        if day:
            date = datetime.date(year, int(month), int(day))
            return date, date
        return _months(year, int(month), 1) if month else _months(year, 1, 12)
    if found := _QUARTER.fullmatch(text):
        return _months(int(found[1]), 3 * int(found[2]) - 2, 3)
    if _TIME.fullmatch(text):
        # git writes a space before the zone.
        moment = datetime.datetime.fromisoformat(re.sub(" (?=[+-])", "", text))
        date = (moment if moment.tzinfo is None else moment.astimezone(datetime.UTC)).date()
        return date, date
    return None


def _counted(text: str, today: int) -> _Span | None:
    """A span that is counted back from ``today``, an ordinal; None if ``text`` has another form."""
    if text in _NEAR:
        text = f"{_NEAR[text]} DAYS"
    if found := _CALENDAR.fullmatch(text):
        return _unit(found[2], today, back=found[1] == "LAST")
    if found := _LATEST.fullmatch(text):
        return _before(found[1], found[2], today), datetime.date.fromordinal(today)
    if found := _AGO.fullmatch(text):
        date = _before(found[1], found[2], today)
        return date, date
    return None


def _unit(unit: str, today: int, *, back: bool) -> _Span:
    """The unit of the calendar that has ``today``, or the one before. A week starts on Sunday, as in the chart."""
    if unit in _DAYS:
        length = _DAYS[unit]
        first = today - today % length - back * length
        return datetime.date.fromordinal(first), datetime.date.fromordinal(first + length - 1)
    length, month = _MONTHS[unit], _month_number(today)
    year, month = divmod(month - month % length - back * length, 12)
    return _months(year, month + 1, length)


def _before(number: str, unit: str, today: int) -> datetime.date:
    """The day a number of units before ``today``: in a shorter month, its last day."""
    count = _NUMBERS[number] if number in _NUMBERS else int(number)
    if unit in _DAYS:
        return datetime.date.fromordinal(today - count * _DAYS[unit])
    year, month = divmod(_month_number(today) - count * _MONTHS[unit], 12)
    last = _months(year, month + 1, 1)[1]
    return last.replace(day=min(last.day, datetime.date.fromordinal(today).day))


def _month_number(day: int) -> int:
    date = datetime.date.fromordinal(day)
    return 12 * date.year + date.month - 1


def _months(year: int, month: int, count: int) -> _Span:
    """So many months of one year."""
    last = month + count - 1
    return datetime.date(year, month, 1), datetime.date(year, last, calendar.monthrange(year, last)[1])
