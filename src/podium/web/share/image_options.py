"""The options of badge and card, in the query beside the board's rules."""

from __future__ import annotations

import dataclasses
from typing import Literal

from pydantic import Field

from podium.errors import BadRule
from podium.leaderboard.board_data import BoardData, Ranked
from podium.leaderboard.figures import end_of
from podium.leaderboard.rules import Rules
from podium.leaderboard.windows import months_before
from podium.web.api.query_parameters import RulesQuery

Theme = Literal["auto", "light", "dark"]
_THEME = "`auto` follows what the reader's browser prefers."


class EmbeddedQuery(RulesQuery):
    """What badge and card have in common: what is embedded for years needs a window that moves."""

    months: int | None = Field(
        None, ge=1, le=120, description="Only the last so many months, counted back from the last commit."
    )
    theme: Theme = Field("auto", description=_THEME)

    def rules(self) -> Rules:
        if self.months is not None and (self.since or self.until):
            raise BadRule("Give either months, or since and until.")
        return super().rules()

    def ranked(self, data: BoardData) -> Ranked:
        """The ranking, in the window that ``months`` stands for on this board."""
        ranked = data.under(self.rules())
        if self.months is None:
            return ranked
        since = Rules.parse(since=months_before(end_of(ranked), self.months)).since
        return data.under(dataclasses.replace(ranked.rules, since=since))


class BadgeQuery(EmbeddedQuery):
    """What the badge shows, and how."""

    show: Literal["people", "commits", "top"] = Field(
        "people", description="How many people, how many commits (both under the rules), or who has the most."
    )
    label: str | None = Field(None, max_length=60, description="The text on the left instead of the usual one.")


class CardQuery(EmbeddedQuery):
    """What the card shows, and how."""

    count: int = Field(12, ge=1, le=60, description="How many faces.")
    names: Literal["show", "hide"] = Field("show", description="Whether names and commits stand below the faces.")
