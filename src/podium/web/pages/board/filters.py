"""Jinja filters: values as text."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup, escape

from podium.leaderboard.export.faces import hue, initials, named
from podium.repositories.model import EMPTY, State
from podium.textutil.age import ago as ago_in_words
from podium.textutil.age import duration
from podium.textutil.fold import parted
from podium.textutil.mask import hinted, masked, without_user_info
from podium.textutil.plural import plural
from podium.timeutil import iso_time

STATES: Mapping[str, str] = {
    State.PENDING: "Waiting",
    State.COMMITS_PROCESSING: "Counting commits",
    State.USERS_PROCESSING: "Finding accounts",
    State.COMPLETED: "Done",
    State.FAILED: "Failed",
    EMPTY: "No commits yet",
}

_PHASES = {
    "preparing": "the git server is preparing the history",
    "receiving": "receiving the history",
    "resolving": "unpacking the history",
}


def number(value: int | None) -> str:
    """With thousands separators; a dash if it is unknown."""
    return "—" if value is None else f"{value:,}"


def state(word: str) -> str:
    return STATES[word]


def progress(value: Mapping[str, Any] | None, rate: float | None = None, seconds_left: float | None = None) -> str:
    """``receiving the history, 42,000 commits so far, ready in about 3 minutes``; ``rate`` is per second."""
    if not value:
        return ""
    if value["stage"] == "commits":
        return Markup(", ".join(_commits(value, rate, seconds_left)))  # noqa: S704 - words, numbers and times
    parts = [_accounts(value)] if value.get("total") else []
    if value.get("waitingUntil"):
        parts.append(f"waiting for GitHub until {_clock(value['waitingUntil'])}")
    elif seconds_left is not None:
        parts.append(f"about {duration(seconds_left)} left")
    return Markup(", ".join(parts))  # noqa: S704 - words, numbers and times


def _clock(iso: str) -> str:
    """A moment to come, which words.js shows as the reader's local time."""
    return f'<time datetime="{escape(iso)}" title="{escape(moment(iso))}" data-clock>{escape(moment(iso))}</time>'


def _accounts(value: Mapping[str, Any]) -> str:
    return f"{number(value.get('done', 0))} of {number(value['total'])} e-mails looked up"


def _commits(value: Mapping[str, Any], rate: float | None, seconds_left: float | None) -> list[str]:
    if value.get("waitingUntil"):
        return [f"the last try failed, the next one is at {_clock(value['waitingUntil'])}"]
    parts = [place(value["queue"])] if value.get("queue") else []
    if value.get("phase") in _PHASES:
        parts.append(_PHASES[value["phase"]])
    if value.get("commits"):
        commits = plural(value["commits"], "commit")
        parts.append(f"saving {commits}" if value.get("phase") == "saving" else f"{commits} so far")
    if rate is not None and rate >= 1:
        parts.append(f"{number(round(rate))} per second")
    if seconds_left is not None:
        parts.append(f"ready in about {duration(seconds_left)}")
    return parts


def place(queue: Mapping[str, Any]) -> str:
    """``next in the queue``, ``3rd of 12 in the queue``, ``about 3rd of 12 in the queue``."""
    if queue["place"] == 1:
        return "probably next in the queue" if queue["isAbout"] else "next in the queue"
    return f"{'about ' if queue['isAbout'] else ''}{ordinal(queue['place'])} of {number(queue['of'])} in the queue"


def ordinal(value: int) -> str:
    """``1st``, ``2nd``, ``3rd``, ``11th``."""
    ending = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value:,}{ending}"


def moment(iso: str) -> str:
    """``2024-05-01 12:30 UTC``."""
    return f"{iso[:10]} {iso[11:16]} UTC"


def day(iso: str | None) -> str:
    return iso[:10] if iso else "—"


def ago(iso: str, now: datetime.datetime | None = None) -> str:
    """``3 minutes ago``."""
    now = now or datetime.datetime.now(tz=datetime.UTC)
    return ago_in_words((now - datetime.datetime.fromisoformat(iso)).total_seconds())


_DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")


def unbroken(text: str) -> Markup:
    """A sentence whose days stay on one line: browsers break lines after hyphens."""
    return Markup(_DAY.sub(r'<span class="n">\g<0></span>', str(escape(text))))  # noqa: S704 - it is escaped


def percent(share: float) -> str:
    """A percentage that shows 0 % or 100 % only if it is exact."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= share < 1:
        return "> 99.9 %"
    return f"{share * 100:.1f} %"


def host_of(url: str) -> str:
    """``github.com``, also with a port."""
    return url.partition("://")[2].partition("/")[0] or url


def linkable(url: str | None) -> str | None:
    return url if url and url.startswith(("https://", "http://")) else None


FILTERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *(
            number,
            state,
            progress,
            moment,
            day,
            ago,
            iso_time,
            masked,
            hinted,
            without_user_info,
            initials,
            hue,
            percent,
            linkable,
            host_of,
            named,
            parted,
            unbroken,
        ),
    )
}
