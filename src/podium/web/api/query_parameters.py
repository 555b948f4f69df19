"""The API's query parameters.

An unknown or repeated one is an error: if a misspelt ``coauthors`` were ignored, the board would follow wrong rules.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from podium.errors import BadRule
from podium.leaderboard.rules import Rules
from podium.leaderboard.view import FILTERS, ORDERS, View
from podium.repositories.model import State
from podium.settings import MOST_REFRESH_INTERVAL
from podium.submissions.control import MOST_AT_ONCE
from podium.textutil.whole_number import whole_number

_REPO_URL = "The repository's address: a URL, `git@host:owner/name`, or `owner/name`."


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    def is_usual(self) -> bool:
        """Whether every optional parameter has its default value."""
        # A revision's board is a repository's own.
        fields = {name: field for name, field in type(self).model_fields.items() if name != "rev"}
        return all(getattr(self, name) == field.default for name, field in fields.items() if not field.is_required())


class RevisionQuery(_Query):
    rev: str | None = Field(
        None,
        description="The name of a branch or tag, which has a board of its own. Without it: the default branch. A tag "
        "comes before a branch of the same name, which is `heads/NAME`.",
        examples=["v1.0"],
    )


class RepositoryQuery(RevisionQuery):
    repo_url: str = Field(description=_REPO_URL, examples=["https://github.com/vercel/next.js"])


class SubmissionQuery(RepositoryQuery):
    refresh_every: int | None = Field(
        None,
        ge=0,
        le=MOST_REFRESH_INTERVAL,
        description="Seconds between two checks of the repository by the schedule, for the administrator; 0: never.",
        examples=[3600],
    )


class ForgetQuery(_Query):
    block: bool = Field(False, description="Whether the repository is refused from now on.")


class OptionalRepositoryQuery(RevisionQuery):
    repo_url: str | None = Field(None, description=_REPO_URL + " Without it: all repositories.")


class RetryQuery(_Query):
    ids: str | None = Field(
        None,
        max_length=10_000,
        pattern=r"^[0-9]+(,[0-9]+)*$",
        description="Ids, separated by commas. Without it: all failed repositories.",
        examples=["7,12"],
    )

    def numbers(self) -> list[int]:
        found = [whole_number(text) for text in self.ids.split(",")] if self.ids else []
        numbers = [number for number in found if number is not None]
        if len(numbers) < len(found):
            raise BadRule("ids: a repository's id has at most 19 digits.")
        return numbers


class PauseQuery(_Query):
    kind: Literal["schedule", "host", "repository"] = Field(description="What to pause.")
    name: str = Field(
        "", max_length=2000, description="A host, or a repository's address or id. Empty for the schedule."
    )


class HostLimitQuery(_Query):
    host: str = Field(max_length=300, description="A git host.", examples=["github.com"])
    at_once: int | None = Field(
        None,
        ge=0,
        le=MOST_AT_ONCE,
        description="The most counts at once; 0: any number. Without it: as `PODIUM_COUNTS_PER_HOST` says.",
    )


class MoveQuery(_Query):
    id: int = Field(ge=1, le=2**63 - 1, description="The repository.")
    to: Literal["first", "last"] = Field(description="Where in the queue it waits from now on.")


class Page(_Query):
    limit: int = Field(100, ge=1, le=1000, description="How many rows.")
    offset: int = Field(0, ge=0, le=10**12, description="How many rows to skip.")


class ListingQuery(Page):
    state: str | None = Field(None, description="Only those in this state.", json_schema_extra={"enum": list(State)})
    search: str = Field(
        "",
        max_length=200,
        description="Only those with all of these words in owner, name or (not at GitHub) host. Case and accents are "
        "ignored. An address is found as well.",
        examples=["rails"],
    )
    owner: str = Field(
        "",
        max_length=500,
        description="Only those of this account at GitHub, or below this `host/owner` elsewhere.",
        examples=["rails", "gitlab.com/group"],
    )


class RulesQuery(_Query):
    merges: str = Field(
        "exclude",
        description="Whether merge commits count.",
        json_schema_extra={"enum": ["exclude", "include"]},
    )
    bots: str = Field(
        "exclude",
        description="Whether bots and AI agents are ranked: not at all, too, or alone.",
        json_schema_extra={"enum": ["exclude", "include", "only"]},
    )
    co_authors: str = Field(
        "exclude",
        description="Whether a commit counts for its co-authors too.",
        json_schema_extra={"enum": ["exclude", "include"]},
    )
    mailmap: str = Field(
        "use",
        description="Whether mailmaps are applied: the repository's `.mailmap`, and the operator's own.",
        json_schema_extra={"enum": ["use", "ignore"]},
    )
    names: str = Field(
        "join",
        description="Whether rows of one full name (two words or more; case and accents ignored) are joined.",
        json_schema_extra={"enum": ["join", "apart"]},
    )
    new: str = Field(
        "any",
        description="Whether only new people are ranked, whose first commit ever is in the window: `since` or `until` "
        "is needed.",
        json_schema_extra={"enum": ["any", "only"]},
    )
    since: str | None = Field(
        None,
        description="The window starts on the first day that it names: `2024-01-31`, `2024-01`, `2024-Q1`, `2024`, "
        "`yesterday`, `last month`, `3 months` and so on, in UTC. A commit is in the window by its author date.",
        examples=["2024-01-01", "last month"],
    )
    until: str | None = Field(
        None,
        description="The window ends on the last day that it names, in the same forms; not before `since`.",
        examples=["2024-12-31", "last month"],
    )

    def rules(self) -> Rules:
        return self._parse()

    def _parse(self, *, is_bounded: bool = False) -> Rules:
        return Rules.parse(
            merges=self.merges,
            bots=self.bots,
            co_authors=self.co_authors,
            mailmap=self.mailmap,
            names=self.names,
            new=self.new,
            is_bounded=is_bounded,
            since=self.since,
            until=self.until,
        )


class RowsQuery(RulesQuery):
    """Whole rows: the rules, which rows are shown in which order, and what each row has besides."""

    people: str = Field(
        "all",
        description="Only rows that are active, joined or left: with a counted commit in the 365 days before the "
        "counted commit, with their first one in those, or with one in the 365 days before those and none since.",
        json_schema_extra={"enum": list(FILTERS)},
    )
    sort: str = Field(
        "commits",
        description="The order of the rows; ranks stay those of commits. Numbers and `last` begin with the largest, "
        "`name` and `first` with the smallest.",
        json_schema_extra={"enum": list(ORDERS)},
    )
    reverse: str = Field(
        "false",
        description="Whether that order is reversed. Rows without a value stay last.",
        json_schema_extra={"enum": ["false", "true"]},
    )

    roles: str = Field(
        "exclude",
        description="Whether each row says how many commits of the window name the person in a trailer such as "
        "`Reviewed-by`.",
        json_schema_extra={"enum": ["exclude", "include"]},
    )

    def rules(self) -> Rules:
        _included("roles", self.roles)
        return super().rules()

    def view(self) -> View:
        """Raises BadRule: a value is not valid."""
        return View.parse(people=self.people, sort=self.sort, reverse=self.reverse)


class BoardQuery(RowsQuery, Page, RepositoryQuery):
    sparklines: str = Field(
        "exclude",
        description="Whether each row has its activity in up to 32 parts of the window.",
        json_schema_extra={"enum": ["exclude", "include"]},
    )

    def rules(self) -> Rules:
        _included("sparklines", self.sparklines)
        return super().rules()


def _included(name: str, value: str) -> None:
    if value not in ("exclude", "include"):
        raise BadRule(f"{name} cannot be {value[:40]!r}: choose include or exclude.")


class RuledQuery(RulesQuery, RepositoryQuery):
    """Which board: the repository, the rules, the window."""


class FindQuery(RuledQuery):
    q: str = Field(min_length=1, max_length=200, description="A part of a name or login, or a whole e-mail.")
    limit: int = Field(20, ge=1, le=100, description="How many rows.")


_ONE = "Give exactly one of `rank`, `login` and `email`."


class ExplainQuery(RuledQuery):
    """Exactly one of rank, login and email."""

    rank: int | None = Field(None, ge=1, le=10**12, description=f"Its rank under these rules. {_ONE}")
    login: str | None = Field(None, max_length=100, description=f"Its login. {_ONE}")
    email: str | None = Field(None, max_length=1000, description=f"One of its e-mails. {_ONE}")

    def who(self) -> dict[str, Any]:
        given = {name: value for name, value in self if name in ("rank", "login", "email") and value is not None}
        if len(given) != 1:
            raise BadRule("Give exactly one of rank, login and email.")
        return given


class PersonQuery(RuledQuery):
    """Which board, and who on it."""

    person: str = Field(
        max_length=120,
        description="The row's `person`: its login, in any case, or `~N`. Any number of the row's e-mails and names "
        "leads to it, so an older `~N` does too.",
        examples=["gaearon", "~17"],
    )


async def each_once(request: Request) -> None:
    """Reject a repeated parameter: either value could be meant."""
    counts = Counter(name for name, _ in request.query_params.multi_items())
    repeated = [name for name, count in counts.items() if count > 1]
    if repeated:
        raise RequestValidationError(
            [{"type": "repeated", "loc": ("query", name), "msg": "it is given more than once"} for name in repeated]
        )
