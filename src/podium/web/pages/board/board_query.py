"""The query of a board's page, and the links that keep it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from podium.leaderboard.rules import Rules
from podium.leaderboard.view import WHOLE, View
from podium.web.pages.board.board_urls import person_path, with_query

# The switches' defaults, under the API's names.
SWITCHES = {
    "merges": "exclude",
    "bots": "exclude",
    "coAuthors": "exclude",
    "mailmap": "use",
    "names": "join",
    "new": "any",
    "since": "",
    "until": "",
}


@dataclasses.dataclass(frozen=True, slots=True)
class BoardPageQuery:
    """The query of a board's page.

    Attributes:
        path: without a query.
        person: the id of the row to explain.
        revision: the branch or tag of the board; None: the default branch.
        view: the rows that are shown, in which order.
        show_emails: whether the reader may see whole e-mails. The search then matches parts of them, and an
            explanation hints at them.
    """

    path: str
    switches: Mapping[str, str]
    offset: int = 0
    find: str = ""
    person: int | None = None
    show_emails: bool = False
    view: View = WHOLE
    revision: str | None = None

    @property
    def rules(self) -> Rules:
        """Parse the switches.

        Raises:
            BadRule: a value is not valid.
        """
        return Rules.parse(
            merges=self.switches["merges"],
            bots=self.switches["bots"],
            co_authors=self.switches["coAuthors"],
            mailmap=self.switches["mailmap"],
            names=self.switches["names"],
            new=self.switches["new"],
            since=self.switches["since"] or None,
            until=self.switches["until"] or None,
        )

    def on_this_day(self) -> BoardPageQuery:
        """Return this query with a window of days, so that each link and each cache key names the days that are shown.

        Raises:
            BadRule: a value is not valid.
        """
        rules = self.rules.as_dict()
        return dataclasses.replace(
            self, switches={**self.switches, **{name: rules[name] or "" for name in ("since", "until")}}
        )

    @property
    def chosen(self) -> dict[str, str]:
        """The switches that differ from their defaults."""
        return {name: value for name, value in self.switches.items() if value != SWITCHES[name]}

    @property
    def kept(self) -> dict[str, str]:
        """Those of the rules and the view, which another branch or tag keeps."""
        return self.chosen | self.view.chosen

    @property
    def parameters(self) -> dict[str, str]:
        """Those of the board, its rules and its view, which its links, forms and files keep."""
        return self.rules_parameters | self.view.chosen

    @property
    def rules_parameters(self) -> dict[str, str]:
        """Those of the board and its rules, which its images keep."""
        return ({"rev": self.revision} if self.revision else {}) | self.chosen

    @property
    def usual(self) -> str:
        """The page's URL under the default rules."""
        return with_query(self.path, {"rev": self.revision} if self.revision else {})

    def link(self, *, without: tuple[str, ...] = (), **more: object) -> str:
        """The page's URL with ``more``, without empty values and 0."""
        kept = {name: value for name, value in self.parameters.items() if name not in without}
        return with_query(self.path, kept | {name: str(value) for name, value in more.items() if value})

    def fragment_link(self, path: str) -> str:
        """The URL of a part of the board under the same rules; its path names the revision."""
        return with_query(path, self.chosen)

    def person_link(self, person: str) -> str:
        """The URL of a person's page under the same rules."""
        return with_query(person_path(self.path, person), self.rules_parameters)

    def usual_person(self, person: str) -> str:
        """The URL of a person's page under the default rules."""
        return with_query(person_path(self.path, person), {"rev": self.revision} if self.revision else {})
