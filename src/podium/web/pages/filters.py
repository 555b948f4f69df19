"""Jinja filters: values as text."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from podium.leaderboard.export.faces import hue, initials, named
from podium.repositories.model import State
from podium.textutil.age import ago as ago_in_words
from podium.textutil.age import duration
from podium.textutil.mask import hinted, masked

STATES: Mapping[str, str] = {
    State.PENDING: "Waiting",
    State.COMMITS_PROCESSING: "Counting commits",
    State.USERS_PROCESSING: "Finding accounts",
    State.COMPLETED: "Done",
    State.FAILED: "Failed",
}

_PHASES = {
    "preparing": "the git server is preparing the history",
    "receiving": "receiving the history",
    "resolving": "unpacking the history",
    "saving": "saving",
}


def number(value: int | None) -> str:
    """With thousands separators; a dash if it is unknown."""
    return "—" if value is None else f"{value:,}"


def state(word: str) -> str:
    return STATES[word]


def progress(value: Mapping[str, Any] | None, rate: float | None = None, seconds_left: float | None = None) -> str:
    """``receiving the history, 42 %, about 3 minutes left``; ``rate`` is per second."""
    if not value:
        return ""
    if value.get("waitingUntil"):
        done = f"{_accounts(value)}, " if value.get("total") else ""
        return f"{done}waiting for GitHub until {moment(value['waitingUntil'])}"
    parts = [_accounts(value)] if value.get("total") and value.get("stage") == "users" else _commits(value)
    if rate is not None and rate >= 1 and ("percent" not in value or "commitsPerSecond" in value):
        parts.append(f"{number(round(rate))} per second")
    if seconds_left is not None:
        parts.append(f"about {duration(seconds_left)} left")
    return ", ".join(parts)


def _accounts(value: Mapping[str, Any]) -> str:
    return f"{number(value.get('done', 0))} of {number(value['total'])} e-mails looked up"


def _commits(value: Mapping[str, Any]) -> list[str]:
    parts = []
    if value.get("phase") in _PHASES:
        parts.append(_PHASES[value["phase"]])
    if value.get("percent") is not None:
        parts.append(f"{value['percent']:.0f} %")
    if value.get("commits"):
        parts.append(f"{number(value['commits'])} commits counted")
    return parts


def percent_done(value: Mapping[str, Any] | None) -> int | None:
    """Of the current phase, from 0 to 100."""
    if not value:
        return None
    if value.get("percent") is not None:
        return min(100, int(value["percent"]))
    if value.get("total") and (value.get("done") is not None or value.get("commits") is not None):
        return min(100, int(100 * (value.get("done") or value.get("commits") or 0) / value["total"]))
    return None


def moment(iso: str) -> str:
    """``2024-05-01 12:30 UTC``."""
    return f"{iso[:10]} {iso[11:16]} UTC"


def day(iso: str | None) -> str:
    return iso[:10] if iso else "—"


def ago(iso: str, now: datetime.datetime | None = None) -> str:
    """``3 minutes ago``."""
    now = now or datetime.datetime.now(tz=datetime.UTC)
    return ago_in_words((now - datetime.datetime.fromisoformat(iso)).total_seconds())


def percent(share: float) -> str:
    """A percentage that shows 0 % or 100 % only if it is exact."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= share < 1:
        return "> 99.9 %"
    return f"{share * 100:.1f} %"


def without_scheme(url: str) -> str:
    """``github.com/octo/hello``, the address as text."""
    return url.partition("://")[2] or url


def linkable(url: str | None) -> str | None:
    return url if url and url.startswith(("https://", "http://")) else None


FILTERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *(
            number,
            state,
            progress,
            percent_done,
            moment,
            day,
            ago,
            masked,
            hinted,
            initials,
            hue,
            percent,
            linkable,
            without_scheme,
            named,
        ),
    )
}
