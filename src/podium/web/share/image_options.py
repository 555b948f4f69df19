"""The query parameters of badge, card and preview."""

from __future__ import annotations

import dataclasses
from typing import Literal

from pydantic import Field

from podium.errors import BadRule
from podium.leaderboard.board_data import BoardData, Ranked
from podium.leaderboard.counts.newcomers import end_of
from podium.leaderboard.dates import first_day
from podium.leaderboard.export.card import FEW, MOST
from podium.leaderboard.rules import Rules
from podium.timeutil import DAY
from podium.web.api.query_parameters import RevisionQuery, RulesQuery

Theme = Literal["auto", "light", "dark"]
_THEME = "`auto` follows the reader's browser."


class WindowQuery(RulesQuery, RevisionQuery):
    """An image stays embedded for years, so it can have a moving window: ``months``."""

    months: int | None = Field(
        None,
        ge=1,
        le=120,
        description="Only this many months, counted back from the last commit; not together with `since` or `until`.",
    )

    def rules(self) -> Rules:
        if self.months is not None and (self.since or self.until):
            raise BadRule("Give either months, or since and until.")
        return self._parse(is_bounded=self.months is not None)

    def ranked(self, data: BoardData, rules: Rules) -> Ranked:
        """The board under ``rules``, those of this query, in the window of ``months``."""
        ranked = data.under(rules)
        if self.months is None:
            return ranked
        since = first_day(f"{self.months} months", end_of(ranked)) * DAY
        return data.under(dataclasses.replace(rules, since=since))


class EmbeddedQuery(WindowQuery):
    theme: Theme = Field("auto", description=_THEME)


class BadgeQuery(EmbeddedQuery):
    show: Literal["people", "commits", "top"] = Field(
        "people", description="The number of people, the number of commits, or the person with the most commits."
    )
    label: str | None = Field(None, max_length=60, description="The text on the left, instead of the default.")


class CardQuery(EmbeddedQuery):
    count: int = Field(FEW, ge=1, le=MOST, description="How many people.")
    captions: Literal["show", "hide"] = Field("show", description="Whether names and commits are below the avatars.")


class PreviewQuery(WindowQuery):
    v: str | None = Field(
        None,
        max_length=16,
        pattern="^[0-9a-f]*$",
        description="The board's version, as in the page's link to the image, which may then be kept for a year.",
    )
