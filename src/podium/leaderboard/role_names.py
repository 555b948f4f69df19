"""What the roles that trailers give are called, in documents, options and tables."""

from __future__ import annotations

from typing import NamedTuple


class RoleName(NamedTuple):
    """``field``: in documents."""

    field: str
    words: str

    @property
    def option(self) -> str:
        return self.words.replace(" ", "-")

    @property
    def label(self) -> str:
        return self.words.capitalize()

    @property
    def short_label(self) -> str:
        return self.label.partition(" ")[0]

    @property
    def trailer(self) -> str:
        return f"{self.option.capitalize()}-by"


# The names of roles, in the order of podium.history.roles.
ROLE_NAMES = (
    RoleName("reviewed", "reviewed"),
    RoleName("tested", "tested"),
    RoleName("acked", "acked"),
    RoleName("signedOff", "signed off"),
    RoleName("reported", "reported"),
    RoleName("suggested", "suggested"),
    RoleName("helped", "helped"),
)
