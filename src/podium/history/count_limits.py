from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from podium.errors import HistoryError

if TYPE_CHECKING:
    from podium.history.totals import Tally


@dataclasses.dataclass(frozen=True, slots=True)
class CountLimits:
    """The commits and the people that a history may have; None: any number.

    People are distinct names with e-mails: authors, and all whom trailers name.
    """

    commits: int | None = None
    people: int | None = None

    def check(self, tally: Tally, *, commits_before: int = 0) -> None:
        """Check a count that added ``tally`` to ``commits_before`` commits.

        Raises:
            HistoryError: 'too-large'.
        """
        if self.commits is not None and commits_before + tally.total_commits > self.commits:
            raise HistoryError(
                "too-large", f"The repository has more than the {self.commits} commits allowed (PODIUM_MAX_COMMITS)."
            )
        self.check_people(tally.number_of_people)

    def check_people(self, number: int) -> None:
        """Raise HistoryError ('too-large') if ``number`` people are too many."""
        if self.people is not None and number > self.people:
            raise HistoryError(
                "too-large",
                f"The repository names more than the {self.people} people allowed (PODIUM_MAX_PEOPLE).",
            )


NO_LIMITS = CountLimits()
