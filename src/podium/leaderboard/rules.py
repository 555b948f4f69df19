"""The counting rules of a board: switches and a window. They apply when a board is read, without a new count. Pure."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Literal

from podium.errors import BadRule
from podium.timeutil import DAY, iso_day

BotsRule = Literal["exclude", "include", "only"]
Names = Literal["join", "apart"]

_EPOCH_ORDINAL = datetime.date(1970, 1, 1).toordinal()
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].+)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What counts on a board. The defaults are those of GitHub's contributors page.

    Attributes:
        since, until: the first second of the window and the first after it, each the start of a day in UTC; None is
            open.
        identities: False joins no accounts.
        names: "join" joins rows of one full name, "apart" leaves them as they are.
        new: ranks only people who are new: see :mod:`podium.leaderboard.counts.newcomers`.
    """

    merges: bool = False
    bots: BotsRule = "exclude"
    co_authors: bool = False
    mailmap: bool = True
    since: int | None = None
    until: int | None = None
    identities: bool = True
    names: Names = "join"
    new: bool = False

    @classmethod
    def parse(
        cls,
        *,
        merges: str = "exclude",
        bots: str = "exclude",
        co_authors: str = "exclude",
        mailmap: str = "use",
        since: str | None = None,
        until: str | None = None,
        identities: bool = True,
        names: str = "join",
        new: str = "any",
        is_bounded: bool = False,
    ) -> Rules:
        """Parse the values of the command line and the API.

        ``since`` and ``until`` are inclusive days: ``2024-01-31``, or an ISO 8601 time, which stands for its UTC day.
        ``is_bounded``: the board has a range of revisions, or will have a window.

        Raises:
            BadRule: a value is not valid, the window ends before it starts, or ``new`` has neither window nor range.
        """
        first, last = _day("since", since), _day("until", until)
        if first is not None and last is not None and first > last:
            raise BadRule(f"The window ends before it starts: since {since} is after until {until}.")
        is_new = _word("new", new, ("only", "any")) == "only"
        if is_new and first is None and last is None and not is_bounded:
            raise BadRule(
                "new=only needs a window or a range: give since or until, or, for a path, --rev A..B, such as "
                "--rev v1.0..v2.0."
            )
        return cls(
            merges=_word("merges", merges, ("include", "exclude")) == "include",
            bots=_bots(bots),
            co_authors=_word("coAuthors", co_authors, ("include", "exclude")) == "include",
            mailmap=_word("mailmap", mailmap, ("use", "ignore")) == "use",
            since=None if first is None else first * DAY,
            until=None if last is None else (last + 1) * DAY,
            identities=identities,
            names=_names(names),
            new=is_new,
        )

    @property
    def joining(self) -> tuple[object, ...]:
        """The rules that decide which people form one row: a key for caches."""
        return self.identities, self.mailmap, self.names

    @property
    def windowed(self) -> bool:
        return self.since is not None or self.until is not None

    def as_dict(self) -> dict[str, str | None]:
        """The ``rules`` of a board's document, with the first and last day."""
        return {
            "merges": "include" if self.merges else "exclude",
            "bots": self.bots,
            "coAuthors": "include" if self.co_authors else "exclude",
            "mailmap": "use" if self.mailmap else "ignore",
            "identities": "use" if self.identities else "ignore",
            "names": self.names,
            "new": "only" if self.new else "any",
            "since": None if self.since is None else iso_day(self.since),
            "until": None if self.until is None else iso_day(self.until - DAY),
        }


def _word(rule: str, value: str, choices: tuple[str, ...]) -> str:
    if value in choices:
        return value
    raise BadRule(f"{rule} cannot be {value[:40]!r}: choose {' or '.join(choices)}.")


def _bots(value: str) -> BotsRule:
    match value:
        case "include" | "exclude" | "only":
            return value
    raise BadRule(f"bots cannot be {value[:40]!r}: choose include, exclude or only.")


def _names(value: str) -> Names:
    match value:
        case "join" | "apart":
            return value
    raise BadRule(f"names cannot be {value[:40]!r}: choose join or apart.")


def _day(rule: str, value: str | None) -> int | None:
    """Days since the epoch."""
    if value is None:
        return None
    try:
        if not _DATE.fullmatch(value):
            raise ValueError(value)
        moment = datetime.datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            moment = moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise BadRule(f"{rule} cannot be {value[:40]!r}: write a day as YYYY-MM-DD, such as 2024-01-31.") from None
    return moment.toordinal() - _EPOCH_ORDINAL
