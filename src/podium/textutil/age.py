"""Spans of time in words."""

from __future__ import annotations

from podium.textutil.plural import plural

_UNITS = (("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("hour", 3_600), ("minute", 60))


def age(seconds: float) -> str:
    """The largest unit, rounded down: ``42 s``, ``7 min``, ``3 h``, ``12 d``."""
    whole = max(0, int(seconds))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if whole >= 2 * size or (whole >= size and unit == "min"):
            return f"{whole // size} {unit}"
    return f"{whole} s"


def ago(seconds: float) -> str:
    """``3 minutes ago``, ``1 year ago``."""
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{plural(int(seconds // size), unit)} ago"
    return "just now"


def duration(seconds: float) -> str:
    """Round numbers: ``40 seconds``, ``3 minutes``."""
    if seconds < 90:
        return f"{max(10, round(seconds, -1)):.0f} seconds"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.0f} hours"
