"""The first ten people of a count that is still going on.

The mailmaps are not applied, and addresses are only joined by an equal name: it is approximate, and replaced by the
board.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

from podium.errors import StorageError
from podium.history.totals import Tally
from podium.textutil.fold import fold
from podium.textutil.mask import masked
from podium.textutil.raw_bytes import readable
from podium.textutil.sanitize import clean

# People, and characters of each name: the row of the repository stays small.
_MOST = 10
_LONGEST_NAME = 60
# Seconds between two rankings; longer if they would take more than a hundredth of the time.
_EVERY = 1.0
_SHARE = 100
# Seconds until the next one if the database did not answer.
_AFTER_FAULT = 60.0


class LiveRanking:
    """Ranks the people with the most commits so far, during a first count.

    Args:
        humans: keeps the e-mails, in lower case, that are not a bot's or an AI agent's.
        forgotten: keeps the e-mails of forgotten people.
    """

    def __init__(
        self,
        humans: Callable[[Collection[str]], Collection[str]],
        clock: Callable[[], float] = time.monotonic,
        *,
        forgotten: Callable[[Collection[str]], Collection[str]] = lambda _: (),
    ) -> None:
        self._humans = humans
        self._forgotten = forgotten
        self._clock = clock
        self._next = clock() + _EVERY
        self.people: list[dict[str, Any]] = []

    def note(self, tally: Tally) -> None:
        """Rank the totals so far, at most once a second."""
        now = self._clock()
        if now < self._next:
            return
        try:
            self.people = self._ranked(tally)
        except StorageError:
            # A count outlasts a database that is away, and each question may wait for it.
            self._next = self._clock() + _AFTER_FAULT
            return
        ended = self._clock()
        self._next = ended + max(_EVERY, _SHARE * (ended - now))

    def _ranked(self, tally: Tally) -> list[dict[str, Any]]:
        leaders = tally.leaders()
        emails = {email for (_, email), _ in leaders}
        humans, forgotten = self._humans(emails), set(self._forgotten(emails))
        names = {fold(shown_name(name)) for (name, email), _ in leaders if email in forgotten and " " in name}
        sums: dict[str, dict[str, Any]] = {}
        for (name, email), commits in leaders:
            shown = shown_name(name)
            if email not in humans or email in forgotten or fold(shown) in names:
                continue
            # One word is too common to be one person.
            key = fold(shown) if " " in shown else f"{shown}\0{email}"
            if key in sums:
                sums[key]["commits"] += commits
            else:
                sums[key] = {"name": shown, "commits": commits}
        return sorted(sums.values(), key=lambda person: -person["commits"])[:_MOST]


def shown_name(name: str) -> str:
    """A name as anywhere else, without e-mails, cut."""
    shown = masked(clean(readable(name))) or "(no name)"
    return shown if len(shown) <= _LONGEST_NAME else shown[: _LONGEST_NAME - 1] + "…"
