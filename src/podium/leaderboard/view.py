"""Which rows of a board are shown, and in which order. Ranks, shares and figures stay those of the board. Pure."""

from __future__ import annotations

import dataclasses
from typing import Any

from podium.errors import BadRule

PARAMETERS = ("people", "sort", "reverse")
FILTERS = ("all", "active", "joined", "left")
# The orders of rows, named as in `podium rank --sort`.
ORDERS = ("commits", "first", "last", "merges", "co-authored", "ai", "name")


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """What is shown of a board.

    Attributes:
        people: one of :data:`FILTERS`: see :mod:`podium.leaderboard.counts.presence`.
        sort: one of :data:`ORDERS`: see :mod:`podium.leaderboard.rows.row_order`.
    """

    people: str = "all"
    sort: str = "commits"
    reverse: bool = False

    @classmethod
    def parse(cls, *, people: str = "all", sort: str = "commits", reverse: str = "false") -> View:
        """Parse the parameters of the API and the page.

        Raises:
            BadRule: a value is not valid.
        """
        for name, value, choices in (
            ("people", people, FILTERS),
            ("sort", sort, ORDERS),
            ("reverse", reverse, ("true", "false")),
        ):
            if value not in choices:
                words = f"{', '.join(choices[:-1])} or {choices[-1]}"
                raise BadRule(f"{name} cannot be {value[:40]!r}: choose {words}.")
        return cls(people, sort, reverse == "true")

    @property
    def is_sorted(self) -> bool:
        """Whether the order is not that of ranks."""
        return self.sort != "commits" or self.reverse

    @property
    def chosen(self) -> dict[str, str]:
        """The parameters that differ from their defaults."""
        given = {"people": self.people, "sort": self.sort, "reverse": "true" if self.reverse else "false"}
        defaults = {"people": "all", "sort": "commits", "reverse": "false"}
        return {name: value for name, value in given.items() if value != defaults[name]}

    def as_dict(self) -> dict[str, Any]:
        """The fields of a document: ``people`` and ``sort``, each only if it differs from the default."""
        people = {} if self.people == "all" else {"people": self.people}
        return people | ({"sort": {"column": self.sort, "reverse": self.reverse}} if self.is_sorted else {})


WHOLE = View()
