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


class Answer(BaseModel):
    """What all answers have in common: names in camelCase, and nothing that is not described."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class Repository(Answer):
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


class Submission(Repository):
    """A repository, and what the request set in motion."""

    message: str
    stage: Literal["commits", "users"] | None = Field(description="Which worker has it; null when neither.")
    refreshing: bool = Field(False, description="Whether it is counted again; the board stays readable.")
    retryable: bool = Field(False, description="Whether POST /repositories/retry is possible.")


class BoardRepository(Answer):
    """Whose board it is."""

    id: int
    url: str
    host: str
    owner: str
    name: str
    branch: str | None = Field(description="The branch that was counted.")


class Contributor(Answer):
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


class Board(Answer):
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


class Refresh(Answer):
    """What a refresh set in motion."""

    message: str
    repositories: int


class Health(Answer):
    """The server's own state."""

    status: Literal["ok", "ready"]


class Version(Answer):
    """Which Podium this is."""

    name: Literal["podium"]
    version: str


class Problem(BaseModel):
    """An error (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str = Field(description="What happened and what to do.")
    error: str = Field(description="The same as `detail`.")
    code: str = Field(description="A stable word for programs.")


def problems(**statuses: str) -> dict[int | str, dict[str, Any]]:
    """The errors of a route, as ``_404="There is none."``, for its ``responses``."""
    return {
        int(status.removeprefix("_")): {"model": Problem, "description": description}
        for status, description in statuses.items()
    }


BAD_QUERY = problems(_400="The address or another parameter cannot be read.")
ADMIN = problems(_401="The administrator's token is needed.", _403="Only from the server's own machine.")
