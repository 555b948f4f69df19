"""The API's responses, as OpenAPI documents them. Only tests validate them, which saves the server time."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from podium.repositories.model import State

# JSON has a string, which a strict validation does not take for a member of an enum.
StateInJson = Annotated[State, BeforeValidator(State)]

_TIME = "ISO 8601 in UTC."


class ResponseModel(BaseModel):
    """Names in camelCase, no undocumented fields."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class RefreshError(ResponseModel):
    """Why the last refresh of a board failed."""

    at: str = Field(description=_TIME)
    message: str = Field(description="What happened, and what to do.")


_REFRESH_ERROR = "Set if the last refresh cost more than a limit allows: the board stays as it was before it."


class RepositoryResponse(ResponseModel):
    """A repository and its state."""

    id: int
    url: str
    state: StateInJson
    progress: dict[str, Any] | None = Field(description="The worker's progress; null unless it is being processed.")
    total_commits: int | None = Field(description="All commits of the default branch, including merges.")
    unique_contributors: int | None = Field(description="Distinct e-mails of authors.")
    last_processed_at: str | None = Field(description=_TIME)
    created_at: str = Field(description=_TIME)
    updated_at: str = Field(description=_TIME)
    error: str | None = Field(description="Why it failed, and what to do.")
    refresh_error: RefreshError | None = Field(description=_REFRESH_ERROR)


class SubmissionResponse(RepositoryResponse):
    """A repository, and what the request started."""

    message: str
    stage: Literal["commits", "users"] | None = Field(description="Which worker processes it; null if none does.")
    refreshing: bool = Field(False, description="Whether it is being counted again; the board stays readable.")
    retryable: bool = Field(False, description="Whether POST /repositories/retry is possible.")


class BoardRepository(ResponseModel):
    """The repository of a board."""

    id: int
    url: str
    host: str
    owner: str
    name: str
    branch: str | None = Field(description="The branch that was counted.")


class Contributor(ResponseModel):
    """One row of a board."""

    rank: int
    username: str | None = Field(description="Login at GitHub; null if no account is known.")
    github_id: int | None
    name: str
    email: str | None = Field(description="Null if the server does not show e-mail addresses.")
    profile_url: str | None
    avatar_url: str | None
    commit_count: int = Field(description="Commits that count under the rules.")
    share: float = Field(description="The share of `rankedCommits`, from 0 to 1.")
    merge_count: int = Field(description="Authored merges, whether they count or not.")
    co_authored_count: int = Field(description="Commits that name the person as co-author, whether they count or not.")
    first_commit_at: str | None = Field(description=_TIME)
    last_commit_at: str | None = Field(description=_TIME)
    is_bot: bool
    is_enriched: bool = Field(description="Whether the account's details come from GitHub.")
    rank_before: int | None = Field(
        description="The rank in the previous window of the same length; null if it had none."
    )
    sparkline: list[int] | None = Field(
        None, description="Commits in each part of the window; only with `sparklines=include`."
    )


class Sparklines(ResponseModel):
    """The common scale of the rows' sparklines."""

    peak: int = Field(description="The largest value among the first rows of the board.")
    since: str
    until: str


class Board(ResponseModel):
    """A ranked board and its rules."""

    repository: BoardRepository
    state: StateInJson
    error: str | None = Field(None, description="Only if a refresh failed and this is the older board.")
    head: str = Field(description="The last commit counted.")
    as_of: str | None = Field(description=_TIME)
    rules: dict[str, str | None] = Field(description="The rules and window in effect.")
    total_commits: int
    merge_commits: int
    trimmed_commits: int = Field(
        description="Commits beyond a limit. They count for their authors, but perhaps not for all of their co-authors."
    )
    unique_contributors: int
    is_partial: bool = Field(description="Whether accounts are still being looked up.")
    unresolved: int = Field(description="E-mails without a known account.")
    unresolved_reason: str | None = Field(description="Why some of them could not be looked up; null if all were.")
    refresh_error: RefreshError | None = Field(description=_REFRESH_ERROR)
    ranked_commits: int = Field(description="The sum of `commitCount` over all rows.")
    total: int = Field(description="Rows on all pages.")
    limit: int | None = Field(description="Null in a file, which has all rows.")
    offset: int
    top_contributors: list[Contributor] = Field(alias="top_contributors")
    sparklines: Sparklines | None = Field(None, description="Only with `sparklines=include`.")


class Figures(ResponseModel):
    """Key figures."""

    people: int
    commits: int
    half_of_commits: int = Field(description="How many of the most active people made at least half of the commits.")
    new_people: int = Field(description="People whose first commit is in the window, or in the last 12 months.")
    new_people_since: str | None = Field(description="The first day of that period; null if the window has none.")


class CommitSplit(ResponseModel):
    """The commits of the window by kind of author, independent of the rules."""

    human: int
    bot: int
    agent: int
    ai_assisted: int = Field(description="Commits authored or co-authored by an AI agent.")


class Week(ResponseModel):
    """The commits of one week."""

    week: str = Field(description="The Sunday on which it begins, in UTC.")
    human: int
    bot: int
    agent: int


class Activity(ResponseModel):
    """Figures and activity of a board."""

    rules: dict[str, str | None]
    head: str
    figures: Figures
    split: CommitSplit
    presets: dict[str, str | None] = Field(description="The first day of the usual windows.")
    weeks: list[Week] = Field(description="All weeks of the history that have commits.")


class ExplainedRow(Contributor):
    """A row that may be unranked."""

    rank: int | None = Field(description="Null if it is not on the board.")  # type: ignore[assignment]


class SearchResults(ResponseModel):
    """The matching rows."""

    query: str
    total: int = Field(description="Matching rows of the board.")
    matches: list[Contributor]
    reason: str | None = Field(description="Why there is no match, and which rules would give one.")


class ExplainedEmail(ResponseModel):
    """One e-mail of a row, over the whole history."""

    email: str | None = Field(description="Null if the server does not show e-mail addresses.")
    names: list[str]
    commit_count: int
    merge_count: int
    co_authored_count: int
    found_by: str = Field(description="How its account was found, or why it was not.")


class Year(ResponseModel):
    """One year of a row; a week belongs to the year of its Sunday."""

    year: int
    commit_count: int
    merge_count: int
    co_authored_count: int


class Explanation(ResponseModel):
    """The commits behind a row's number."""

    row: ExplainedRow
    not_ranked: str | None = Field(description="Why the row is not on the board; null if it is.")
    emails: list[ExplainedEmail]
    years: list[Year]
    outside: int = Field(description="Commits outside of the window that would count otherwise.")
    commits_url: str | None = Field(description="The URL of these commits at GitHub.")
    sample_commit: str | None


class Refresh(ResponseModel):
    """What a refresh started."""

    message: str
    repositories: int


class Health(ResponseModel):
    """The server's own state."""

    status: Literal["ok", "ready"]


class Version(ResponseModel):
    """The version of this Podium."""

    name: Literal["podium"]
    version: str


class RetriedRepositories(ResponseModel):
    """The repositories that are retried."""

    message: str
    ids: list[int]


class DroppedRepository(ResponseModel):
    """The repository that was taken out of the queue."""

    message: str
    id: int
