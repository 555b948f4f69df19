"""How the page says things. Pure."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from podium.leaderboard.text import masked

STATES = {
    "pending": "Waiting",
    "commits_processing": "Counting commits",
    "users_processing": "Finding accounts",
    "completed": "Done",
    "failed": "Failed",
}

_PHASES = {
    "preparing": "the git server prepares the history",
    "receiving": "receiving the history",
    "resolving": "unpacking the history",
    "saving": "saving",
}

_AGES = (("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("hour", 3_600), ("minute", 60))


def number(value: int | None) -> str:
    """A count with its thousands apart; a dash where it is not known yet."""
    return "—" if value is None else f"{value:,}"


def state(word: str) -> str:
    """A repository's state in words."""
    return STATES[word]


def progress(value: Mapping[str, Any] | None) -> str:
    """What is being done, as far as it is known: ``receiving the history, 42 %``."""
    if not value:
        return ""
    if value.get("waitingUntil"):
        return f"waiting for GitHub until {moment(value['waitingUntil'])}"
    if value.get("total"):
        return f"{number(value.get('done', 0))} of {number(value['total'])} e-mails"
    parts = []
    if value.get("phase") in _PHASES:
        parts.append(_PHASES[value["phase"]])
    if value.get("percent") is not None:
        parts.append(f"{value['percent']:.0f} %")
    if value.get("commits"):
        parts.append(f"{number(value['commits'])} commits")
    return ", ".join(parts)


def moment(iso: str) -> str:
    """An ISO time as people read it: ``2024-05-01 12:30 UTC``."""
    return f"{iso[:10]} {iso[11:16]} UTC"


def day(iso: str | None) -> str:
    """The day of an ISO time; a dash where there is none."""
    return iso[:10] if iso else "—"


def ago(iso: str, now: datetime.datetime | None = None) -> str:
    """How long ago an ISO time was: ``3 minutes ago``."""
    now = now or datetime.datetime.now(tz=datetime.UTC)
    seconds = (now - datetime.datetime.fromisoformat(iso)).total_seconds()
    for unit, length in _AGES:
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def initials(name: str) -> str:
    """Up to two letters that stand for a person."""
    words = [word for word in re.split(r"[\s@._-]+", name) if word[:1].isalnum()]
    chosen = [words[0], words[-1]] if len(words) > 1 else words
    return "".join(word[0] for word in chosen).upper() or "?"


def hue(name: str) -> int:
    """One of twelve colours, always the same for one name."""
    return hashlib.sha256(name.encode("utf-8", "replace")).digest()[0] % 12


def percent(share: float) -> str:
    """A share of one as a percentage that never rounds somebody away."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return f"{share * 100:.1f} %"


def linkable(url: str | None) -> str | None:
    """``url`` where a browser may be sent to it."""
    return url if url and url.startswith(("https://", "http://")) else None


FILTERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (number, state, progress, moment, day, ago, masked, initials, hue, percent, linkable)
}
