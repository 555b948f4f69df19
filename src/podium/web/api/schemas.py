"""The answers as OpenAPI describes them.

They describe, and do not validate: a board of a thousand rows would pay for that at each request. The tests hold
the answers against them instead.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

State = Literal["pending", "commits_processing", "users_processing", "completed", "failed"]
_TIME = "ISO 8601 in UTC."


class ResponseModel(BaseModel):
    """What all answers have in common: names in camelCase, and nothing that is not described."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class RepositoryResponse(ResponseModel):
    """A repository and where it stands."""

    id: int
    url: str
    state: State
    progress: dict[str, Any] | None = Field(description="What the worker has done so far; only while it works.")
    total_commits: int | None = Field(description="All commits of the default branch, merges included.")
    unique_contributors: int | None = Field(description="Distinct author e-mails found.")
    last_processed_at: str | None = Field(description=_TIME)
    created_at: str = Field(description=_TIME)
    updated_at: str = Field(description=_TIME)
    error: str | None = Field(description="Why it failed, and what to do.")


class SubmissionResponse(RepositoryResponse):
    """A repository, and what the request set in motion."""

    message: str
    stage: Literal["commits", "users"] | None = Field(description="Which worker has it; null when neither.")
    refreshing: bool = Field(False, description="Whether it is counted again; the board stays readable.")
    retryable: bool = Field(False, description="Whether POST /repositories/retry is possible.")


class BoardRepository(ResponseModel):
    """Whose board it is."""

    id: int
    url: str
    host: str
    owner: str
    name: str
    branch: str | None = Field(description="The branch that was counted.")


class Contributor(ResponseModel):
    """One row of a board."""

    rank: int
    username: str | None = Field(description="Login at GitHub; null while or where no account is known.")
    github_id: int | None
    name: str
    email: str | None = Field(description="Null where the server does not show e-mail addresses.")
    profile_url: str | None
    avatar_url: str | None
    commit_count: int = Field(description="What counts under the rules.")
    share: float = Field(description="The part of `rankedCommits`, from 0 to 1.")
    merge_count: int = Field(description="Merges authored, whether they count or not.")
    co_authored_count: int = Field(description="Commits that name the person as co-author, likewise.")
    first_commit_at: str | None = Field(description=_TIME)
    last_commit_at: str | None = Field(description=_TIME)
    is_bot: bool
    is_enriched: bool = Field(description="Whether GitHub itself has told about the account.")
    rank_before: int | None = Field(
        description="The rank in the window of the same length before this one; null where it had none."
    )
    sparkline: list[int] | None = Field(
        None, description="Commits that count in each part of the window; only where asked for."
    )


class Sparklines(ResponseModel):
    """What the rows' sparklines have in common."""

    peak: int = Field(description="The largest part of any of the first rows of the board: the scale of all.")
    since: str
    until: str


class Board(ResponseModel):
    """A ranked board, with the rules it was made under."""

    repository: BoardRepository
    state: State
    error: str | None = Field(None, description="Only where a refresh failed and this is the older board.")
    head: str = Field(description="The commit counted up to.")
    as_of: str | None = Field(description=_TIME)
    rules: dict[str, str | None] = Field(description="The rules and bounds in effect.")
    total_commits: int
    merge_commits: int
    unique_contributors: int
    is_partial: bool = Field(description="Whether accounts are still being found.")
    unresolved: int = Field(description="E-mails of people without a known account.")
    unresolved_reason: str | None = Field(description="Why some of them could not be asked for; null: all were.")
    ranked_commits: int = Field(description="The sum of all rows under these rules.")
    total: int = Field(description="Rows under these rules, on all pages.")
    limit: int
    offset: int
    top_contributors: list[Contributor] = Field(alias="top_contributors")
    sparklines: Sparklines | None = Field(None, description="Only where asked for.")


class Figures(ResponseModel):
    """The figures that matter."""

    people: int
    commits: int
    half_of_commits: int = Field(description="How many people, the most active first, make half of them or more.")
    new_people: int = Field(description="Whose first commit lies in the window, or in the last 12 months.")
    new_people_since: str | None = Field(description="The first day of that; null where the window has none.")


class CommitSplit(ResponseModel):
    """The commits of the window by who authored them, whatever is ranked."""

    human: int
    bot: int
    agent: int
    ai_assisted: int = Field(description="Authored by an AI agent, or naming one as co-author.")


class Week(ResponseModel):
    """The commits of one week."""

    week: str = Field(description="The Sunday that begins it, UTC.")
    human: int
    bot: int
    agent: int


class Activity(ResponseModel):
    """A board as a whole."""

    rules: dict[str, str | None]
    head: str
    figures: Figures
    split: CommitSplit
    presets: dict[str, str | None] = Field(description="The usual windows, by their first day.")
    weeks: list[Week] = Field(description="All of history, the weeks in which anything was done.")


class ExplainedRow(Contributor):
    """A row that may not be ranked."""

    rank: int | None = Field(description="Null where it is not on the board.")  # type: ignore[assignment]


class SearchResults(ResponseModel):
    """Who matches."""

    query: str
    total: int = Field(description="How many rows of the board match.")
    matches: list[Contributor]
    reason: str | None = Field(description="Why nobody does, and what would show them.")


class ExplainedEmail(ResponseModel):
    """One e-mail of a row, over all of history."""

    email: str = Field(description="Cut short where the server does not show e-mail addresses.")
    names: list[str]
    commit_count: int
    merge_count: int
    co_authored_count: int
    found_by: str = Field(description="How its account was found, or why there is none.")


class Year(ResponseModel):
    """One year of a row, by the week's Sunday."""

    year: int
    commit_count: int
    merge_count: int
    co_authored_count: int


class Explanation(ResponseModel):
    """Why a row has its number."""

    row: ExplainedRow
    not_ranked: str | None = Field(description="Why it is not on the board, where it is not.")
    emails: list[ExplainedEmail]
    years: list[Year]
    outside: int = Field(description="What would count, were it not outside of the window.")
    commits_url: str | None = Field(description="These commits at GitHub.")
    sample_commit: str | None


class Refresh(ResponseModel):
    """What a refresh set in motion."""

    message: str
    repositories: int


class Health(ResponseModel):
    """The server's own state."""

    status: Literal["ok", "ready"]


class Version(ResponseModel):
    """Which Podium this is."""

    name: Literal["podium"]
    version: str
