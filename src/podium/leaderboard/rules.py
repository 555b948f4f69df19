"""The counting rules of a board: switches and a window. They apply when a board is read, without a new count. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from podium.errors import BadRule
from podium.leaderboard.dates import first_day, last_day
from podium.timeutil import DAY, current_day, iso_day

BotsRule = Literal["exclude", "include", "only"]
Names = Literal["join", "apart"]


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
        today: int | None = None,
    ) -> Rules:
        """Parse the values of the command line and the API.

        Args:
            since: the window starts on the first day that it names (:mod:`podium.leaderboard.dates`).
            until: the window ends on the last day that it names.
            is_bounded: the board has a range of revisions, or will have a window.
            today: in days since the epoch; by default the current day in UTC.

        Raises:
            BadRule: a value is not valid, the window ends before it starts, or ``new`` has neither window nor range.
        """
        today = current_day() if today is None else today
        first, last = _day("since", since, first_day, today), _day("until", until, last_day, today)
        if first is not None and last is not None and first > last:
            raise BadRule(
                f"The window ends before it starts: since {iso_day(first * DAY)} is after until {iso_day(last * DAY)}."
            )
        is_new = _word("new", new, ("only", "any")) == "only"
        if is_new and first is None and last is None and not is_bounded:
            raise BadRule("new=only needs a window: give since or until.")
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


def _day(rule: str, text: str | None, read: Callable[[str, int], int], today: int) -> int | None:
    if text is None:
        return None
    try:
        return read(text, today)
    except BadRule as error:
        raise BadRule(f"{rule}: {error.message}") from None
