"""The options of badge and card, in the query beside the board's rules."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from podium.web.queries import RulesQuery

Theme = Literal["auto", "light", "dark"]
_THEME = "`auto` follows what the reader's browser prefers."


class BadgeQuery(RulesQuery):
    """What the badge shows, and how."""

    show: Literal["people", "commits", "top"] = Field(
        "people", description="How many people, how many commits (both under the rules), or who has the most."
    )
    label: str | None = Field(None, max_length=60, description="The text on the left instead of the usual one.")
    theme: Theme = Field("auto", description=_THEME)


class CardQuery(RulesQuery):
    """What the card shows, and how."""

    count: int = Field(12, ge=1, le=60, description="How many faces.")
    names: Literal["show", "hide"] = Field("show", description="Whether names and commits stand below the faces.")
    theme: Theme = Field("auto", description=_THEME)
