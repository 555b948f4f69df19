"""What the headers of a response say about limits; times are turned to our own clock, which may differ."""

from __future__ import annotations

import email.utils
import re

from podium.accounts.github.parse import Rate
from podium.accounts.github.requests import Response

# GitHub's windows are an hour; what says longer than a day is a mistake.
LONGEST_WAIT = 86_400.0


def retry_after(response: Response, now: float) -> float | None:
    """Seconds to wait: a number, or a date (RFC 9110, 10.2.3)."""
    text = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", text):
        return float(text)
    moment = _http_date(text)
    return None if moment is None else moment - their_clock(response, now)


def header_rate(response: Response, now: float) -> Rate | None:
    """The primary limit as the headers tell it; None: they do not (Enterprise Server without limits)."""
    numbers = [_whole_number(response.headers.get(f"x-ratelimit-{key}", "")) for key in ("limit", "remaining", "reset")]
    limit, remaining, reset = numbers
    if remaining is None:
        return None
    resets_at = now + 3600 if reset is None else now + min(LONGEST_WAIT, reset - their_clock(response, now))
    return Rate(limit, remaining, resets_at)


def their_clock(response: Response, now: float) -> float:
    """What time it is at GitHub, as far as the response says."""
    return _http_date(response.headers.get("date", "")) or now


def _whole_number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{1,12}", text.strip()) else None


def _http_date(text: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
