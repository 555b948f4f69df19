"""The API's responses, as OpenAPI documents them. Only tests validate them, which saves the server time."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from podium.repositories.model import State
from podium.settings import MOST_REFRESH_INTERVAL


# Not the class itself: from Python 3.12 on pydantic cannot tell how to call an enum.
def _state(value: str) -> State:
    return State(value)


# JSON has a string, which a strict validation does not take for a member of an enum.
StateInJson = Annotated[State, BeforeValidator(_state)]

_TIME = "ISO 8601 in UTC."
_DAY = "`YYYY-MM-DD` in UTC, inclusive; null if the window is open."


class ResponseModel(BaseModel):
    """Names in camelCase, no undocumented fields."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class RefreshError(ResponseModel):
    """Why the last refresh of a board failed."""

    at: str = Field(description=_TIME)
    message: str = Field(description="What happened, and what to do.")


_REFRESH_ERROR = (
    "Set if the last refresh failed, and the board stays as it was before it: it cost more than a limit allows, its "
    "host is away and Podium tries again automatically, or an error stopped the count."
)


class QueuePosition(ResponseModel):
    """The place among the repositories that wait to be counted, in the order in which they will be."""

    place: int = Field(description="From 1.")
    of: int
    is_about: bool = Field(description="Whether others may be counted before it: each client has its turn.")


class Leader(ResponseModel):
    """One of the first people while commits are counted."""

    name: str
    commits: int


class WorkProgress(ResponseModel):
    """How far the work is. Apart from `stage` and `overallPercent`, fields are there if they are known."""

    stage: Literal["commits", "users"] = Field(description="Which worker processes it: `users` looks up accounts.")
    overall_percent: float = Field(
        description="Of all work from waiting to the last account, 0 to 100; it never goes back until a new submission."
    )
    queue: QueuePosition | None = Field(None, description="Only while it waits.")
    waiting_until: str | None = Field(None, description=f"When the next try or the next look-up is due, {_TIME}")
    phase: Literal["preparing", "receiving", "resolving", "counting", "saving"] | None = Field(
        None, description="What the commit worker does: the host prepares, git receives and unpacks, commits are read."
    )
    percent: int | None = Field(None, description="Of the phase.")
    commits: int | None = Field(None, description="Counted so far.")
    total: int | None = Field(None, description="Commits, an estimate; or e-mails to look up.")
    done: int | None = Field(None, description="E-mails looked up.")
    commits_per_second: int | None = None
    seconds_left: int | None = Field(
        None, description="Until the board is ready, an estimate; missing while the work is too uneven for one."
    )
    leaders: list[Leader] | None = Field(
        None,
        description="The ten people with the most commits so far, without merges and bots, only in a first count. "
        "Approximate: addresses of one person are joined when all commits are counted.",
    )


class RepositoryResponse(ResponseModel):
    """A repository and its state."""

    id: int
    url: str
    revision: str | None = Field(description="The branch or tag that it is about; null for the default branch.")
    state: StateInJson
    progress: WorkProgress | None = Field(description="Null unless it is being processed.")
    total_commits: int | None = Field(description="All commits of the branch or tag, including merges.")
    unique_contributors: int | None = Field(description="Distinct e-mails of authors.")
    people: int | None = Field(
        description="People on the board under the default rules; null until the board of this count was first made."
    )
    last_processed_at: str | None = Field(description=_TIME)
    created_at: str = Field(description=_TIME)
    updated_at: str = Field(description=_TIME)
    checked_at: str | None = Field(
        description=f"When its host last answered a check, which a count alone is not; null if it never did, and for a "
        f"branch or tag. {_TIME}"
    )
    next_check_at: str | None = Field(
        description=f"When its host is asked next; null if it is not scheduled, and for a branch or tag. {_TIME}"
    )
    refresh_every: float | None = Field(
        description="Seconds between two checks of this repository; 0: never, null: as the server is set."
    )
    error: str | None = Field(description="Why it failed, and what to do.")
    refresh_error: RefreshError | None = Field(description=_REFRESH_ERROR)
    waiting_reason: str | None = Field(
        description="Why one that is pending cannot be counted now, such as a host that is away."
    )
    name_taken_at: str | None = Field(
        description="Since when another repository has this name at the host. The board is the one before, and is not "
        f"counted again until an administrator decides. {_TIME}"
    )


class SubmissionResponse(RepositoryResponse):
    """A repository, and what the request started."""

    message: str
    stage: Literal["commits", "users"] | None = Field(description="Which worker processes it; null if none does.")
    refreshing: bool = Field(False, description="Whether it is being counted again; the board stays readable.")
    retryable: bool = Field(False, description="Whether POST /repositories/retry is possible.")


class BoardRepository(ResponseModel):
    """The repository of a board."""

    id: int
    url: str | None = Field(description="Null for a path of this machine.")
    path: str | None = Field(
        description="The folder of a repository on this machine, which only the command line ranks; else null."
    )
    host: str = Field(description="Empty for a path.")
    owner: str = Field(description="Everything between host and name; may be empty.")
    name: str
    branch: str | None = Field(description="The branch that was counted; null if it is unknown.")
    revision: str | None = Field(
        description="The branch, tag, revision or range `A..B` that was asked for; null for the default branch, or for "
        "HEAD of a path."
    )


class RulesInEffect(ResponseModel):
    """The rules of a board, and the first and last day of its window."""

    merges: Literal["exclude", "include"]
    bots: Literal["exclude", "include", "only"]
    co_authors: Literal["exclude", "include"]
    mailmap: Literal["use", "ignore"]
    identities: Literal["use", "ignore"] = Field(description="Whether rows are joined by account.")
    names: Literal["join", "apart"]
    new: Literal["any", "only"] = Field(description="Whether only new people are ranked.")
    since: str | None = Field(description=_DAY)
    until: str | None = Field(description=_DAY)


class Roles(ResponseModel):
    """Commits that name the person in a trailer, such as `Reviewed-by`, in the window."""

    reviewed: int
    tested: int
    acked: int
    signed_off: int
    reported: int
    suggested: int
    helped: int


class Contributor(ResponseModel):
    """One row of a board."""

    rank: int
    person: str = Field(
        description="The name in addresses (`GET /leaderboard/person`): the login, or `~N` with N the lowest number of "
        "the row's e-mails and names in this repository. Never an e-mail."
    )
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
    ai_count: int = Field(description="Counted commits that an AI agent authored, or that declare its help.")
    first_commit_at: str | None = Field(
        description=f"The first commit in the window, {_TIME} Null if all dates are odd (`oddDates`)."
    )
    last_commit_at: str | None = Field(description="The last one, in the same form.")
    odd_dates: int = Field(
        description="Commits with a date that git cannot read, before 1970-01-02, or more than a day after the count. "
        "They count in the whole history, and in no window.",
    )
    is_bot: bool
    is_enriched: bool = Field(description="Whether the account's details come from GitHub.")
    joined_by_name: bool = Field(
        description="Whether it would be several rows of this board if an equal full name joined none."
    )
    is_new: bool | None = Field(
        description="Whether the first commit ever, merges included, is in the window; without one, in the last 12 "
        "months. Of a range of revisions, whether there is none before; null if that was not asked for."
    )
    is_back: bool | None = Field(
        description="Whether the person returned: earlier commits, but none in the window before. Null for a range of "
        "revisions."
    )
    rank_before: int | None = Field(
        description="The rank in the previous window of the same length; null if it had none."
    )
    roles: Roles | None = Field(None, description="Only with `roles=include`.")
    sparkline: list[int] | None = Field(
        None, description="Commits in each part of the window; only with `sparklines=include`."
    )


class CommitParts(ResponseModel):
    """The commits of the window, and where they went: the parts add up to the total."""

    total: int
    ranked: int = Field(description="Authored by the rows of the board; credits of co-authors are not among them.")
    merges: int = Field(description="Merges, unless they count.")
    bots: int = Field(description="By bots, unless they are ranked; merges only if they count.")
    agents: int = Field(description="By AI agents, unless they are ranked; merges only if they count.")
    people: int = Field(description="By people, if only bots and AI agents are ranked; merges only if they count.")
    earlier: int = Field(description="By others who are not new, with `new=only`; merges only if they count.")
    removed: int = Field(description="By people who were removed on request; merges only if they count.")


class Agent(ResponseModel):
    """An AI agent."""

    name: str
    commit_count: int = Field(description="Commits that it authored, or that declare its help.")


class NearestCommits(ResponseModel):
    """The commits next to a window without any."""

    before: str | None = Field(description=f"The last author date before the window, {_TIME} Null if there is none.")
    after: str | None = Field(description="The first one after it, in the same form.")


class Sparklines(ResponseModel):
    """The common scale of the rows' sparklines."""

    peak: int = Field(description="The largest value among the first rows of the board.")
    since: str
    until: str


class RowOrder(ResponseModel):
    """An order of rows that is not that of ranks."""

    column: str
    reverse: bool


class Board(ResponseModel):
    """A ranked board and its rules."""

    repository: BoardRepository
    state: StateInJson
    error: str | None = Field(None, description="Only if a refresh failed and this is the older board.")
    base: str | None = Field(
        description="Of a range of revisions, the commit whose history is left out; only the command line has them."
    )
    head: str = Field(description="The last commit counted.")
    head_committed_at: str | None = Field(
        description=f"When it was committed, {_TIME} Null if it has no readable date."
    )
    as_of: str | None = Field(description=f"When it was counted, {_TIME}")
    rules: RulesInEffect
    total_commits: int
    merge_commits: int
    commits: CommitParts
    bot_commits: int = Field(description="Commits by bots and AI agents, in the window; merges only if they count.")
    ai_commits: int = Field(description="Commits that an AI agent authored, or that declare its help, in the window.")
    agents: list[Agent] = Field(description="The agents of these commits; one commit may name several.")
    odd_dates: int = Field(description="Commits with odd dates: see the rows.")
    is_coarse: bool = Field(
        description="An older version counted: until the next count, dates are the Sundays of their weeks."
    )
    nearest_commits: NearestCommits | None = Field(None, description="Only for a window without commits.")
    joined_by_name: int = Field(description="Rows that an equal full name joined into others, on this board.")
    role_only_people: int = Field(
        description="People whom trailers such as `Reviewed-by` name, and who are not contributors: in the whole "
        "history, whatever the window."
    )
    trimmed_commits: int = Field(
        description="Commits beyond a limit. They count for their authors, but perhaps not for all of their co-authors."
    )
    unique_contributors: int = Field(description="E-mails of authors, in the whole history.")
    is_partial: bool = Field(description="Whether accounts are still being looked up.")
    unresolved: int = Field(description="E-mails of authors without a known account, in the whole history.")
    unresolved_reason: str | None = Field(description="Why some of them could not be looked up; null if all were.")
    refresh_error: RefreshError | None = Field(description=_REFRESH_ERROR)
    ranked_commits: int = Field(description="The sum of `commitCount` over all rows of the board, shown or not.")
    removed_commits: int = Field(
        description="The counted commits of all people together who were removed on request. They have no row and no "
        "rank, and `rankedCommits` and shares leave them out."
    )
    total: int = Field(description="Rows on all pages.")
    limit: int | None = Field(description="Null in a file, which has all rows.")
    offset: int
    people: Literal["active", "joined", "left"] | None = Field(
        None, description="Which rows are shown; only if not all. `total` is their number."
    )
    sort: RowOrder | None = Field(None, description="Only if rows are not in the order of ranks.")
    top_contributors: list[Contributor] = Field(alias="top_contributors")
    sparklines: Sparklines | None = Field(None, description="Only with `sparklines=include`.")


class Figures(ResponseModel):
    """Key figures."""

    people: int
    commits: int
    half_of_commits: int = Field(
        description="The bus factor: how many of the most active people made at least half of the commits."
    )
    new_people: int = Field(description="Rows with `isNew`.")
    new_people_since: str | None = Field(description="The first day of that period; null if the window has none.")


class PresenceFigures(ResponseModel):
    """How many rows of the board the filter `people` shows."""

    until: str = Field(
        description=f"When the counted commit was committed, or when it was counted if that is earlier, {_TIME}"
    )
    active: int = Field(description="With a counted commit in the 365 days before.")
    joined: int = Field(description="With the first commit ever, merges included, in them.")
    left: int = Field(description="With a counted commit in the 365 days before those, and none since.")


class YearBusFactor(ResponseModel):
    """The bus factor of one calendar year, in UTC."""

    year: int
    bus_factor: int = Field(description="The smallest number of people who made half of the year's counted commits.")
    people: int = Field(description="The people with counted commits.")


class CommitSplit(ResponseModel):
    """The commits of the window, each in one series, whatever is ranked."""

    human: int
    bot: int
    ai: int = Field(description="Commits that an AI agent authored, or that declare its help.")


class Week(ResponseModel):
    """The commits of one week."""

    week: str = Field(description="The Sunday on which it begins, in UTC.")
    human: int
    bot: int
    ai: int


class Activity(ResponseModel):
    """Figures and activity of a board."""

    rules: RulesInEffect
    head: str
    figures: Figures
    presence: PresenceFigures
    bus_factors: list[YearBusFactor] = Field(
        description="The bus factor of each year of the whole history with counted commits: neither the window nor "
        "`new` changes it."
    )
    split: CommitSplit
    agents: list[Agent] = Field(description="The agents of the window's commits; one commit may name several.")
    odd_dates: int = Field(description="Commits with odd dates: see the rows of the board. They are in no week.")
    presets: dict[str, str | None] = Field(description="The first day of the usual windows.")
    weeks: list[Week] = Field(description="All weeks of the history that have commits.")


class ExplainedRow(Contributor):
    """A row that may be unranked."""

    rank: int | None = Field(description="Null if it is not on the board.")  # type: ignore[assignment]


class FoundContributor(Contributor):
    """A matching row, and what matched."""

    matched_by: Literal["name", "login", "otherName", "email"] = Field(
        description="`otherName`: another name or login of the row, from its commits, a mailmap or an account."
    )
    matched_text: str | None = Field(description="The name or login that contains the text; null for a whole e-mail.")


class SearchResults(ResponseModel):
    """The matching rows."""

    query: str
    total: int = Field(description="Matching rows of the board.")
    matches: list[FoundContributor]
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
    """One calendar year of a row, in UTC and without odd dates."""

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


class PersonYear(Year):
    """One calendar year of a person, in UTC and without odd dates."""

    counted_commits: int = Field(description="The commits of the year that count under the rules.")
    rank: int | None = Field(description="The rank on the board of that year; null if it is not on it.")
    total: int | None = Field(description="The rows of that board.")
    commits_url: str | None = Field(description="The URL of the year's commits at GitHub.")


class PersonWeek(ResponseModel):
    """A person's counted commits of one week."""

    week: str = Field(description="The Sunday on which it begins, in UTC.")
    commit_count: int
    ai_count: int = Field(description="Those that an AI agent authored, or that declare its help.")


class Neighbor(ResponseModel):
    """The row before or after another one."""

    rank: int
    person: str
    username: str | None
    name: str
    commit_count: int


class Person(Explanation):
    """Everything that a board knows about one row."""

    repository: BoardRepository
    head: str = Field(description="The last commit counted.")
    rules: RulesInEffect
    total: int = Field(description="Rows of the board.")
    years: list[PersonYear] = Field(description="Of the whole history.")  # type: ignore[assignment]
    weeks: list[PersonWeek] = Field(description="All weeks of the history with counted commits.")
    previous: Neighbor | None = Field(description="The row with the next better rank; null if there is none.")
    next: Neighbor | None = Field(description="The row with the next lower rank; null if there is none.")


class ComparedRepository(ResponseModel):
    url: str
    revision: str | None


class ComparedFigures(ResponseModel):
    """Figures of a board under its rules."""

    commits: int = Field(description="Ranked commits.")
    people: int
    active: int = Field(description="As in `presence` of `GET /leaderboard/activity`.")
    joined: int
    left: int
    new_people: int = Field(description="Rows with `isNew`.")
    bus_factor: int = Field(description="The smallest number of people who made half of the commits.")
    first_commit: str | None = Field(description="The day of the first ranked commit in the window, in UTC.")
    last_commit: str | None


class WeekOfCommits(ResponseModel):
    week: str = Field(description="The Sunday on which it begins, in UTC.")
    commits: int


class ComparedSubject(ResponseModel):
    """One board, window or person."""

    repository: ComparedRepository
    rules: RulesInEffect
    state: StateInJson
    head: str | None = Field(description="The last commit counted; null before the first count.")
    figures: ComparedFigures | None = Field(description="Null for a person, and before the first count.")
    person: ExplainedRow | None = Field(description="The row, if people are compared.")
    weeks: list[WeekOfCommits] | None = Field(description="All weeks with ranked commits in the window.")


class Comparison(ResponseModel):
    """Several boards, windows or people."""

    kind: Literal["repositories", "windows", "people"]
    compared: list[ComparedSubject]
    shared_people: list[list[int | None]] | None = Field(
        description="Of each repository, how many accounts it shares with each one; null with itself and with one that "
        "is not counted. Only for repositories."
    )


class Refresh(ResponseModel):
    """What a refresh started."""

    message: str
    repositories: int


class Health(ResponseModel):
    """The server's own state."""

    status: Literal["ok"]


class ReadyProblem(ResponseModel):
    """Something that the server needs and that does not work."""

    code: str = Field(description="`database`, `database-write`, `revision`, `queue`, `disk` or `git`, for example.")
    message: str = Field(description="What does not work; for the administrator also why, and what to do.")


class Ready(ResponseModel):
    """Whether the server can do its work."""

    status: Literal["ready", "degraded"]
    problems: list[ReadyProblem]


class Version(ResponseModel):
    """The version of this Podium."""

    name: Literal["podium"]
    version: str


class RetriedRepositories(ResponseModel):
    """The repositories that are retried."""

    message: str
    ids: list[int]


class RepositoryChange(ResponseModel):
    """What to change of a repository."""

    refresh_every: int | None = Field(
        ge=0,
        le=MOST_REFRESH_INTERVAL,
        description="Seconds between two checks of it by the schedule; 0: never, null: as the server is set.",
        examples=[3600],
    )


class BlockRequest(ResponseModel):
    """What to block, or to accept again."""

    kind: Literal["repository", "owner", "address"]
    value: str = Field(
        min_length=1,
        max_length=2000,
        description="A repository's address; an owner as `owner` at GitHub or `host/owner`; a host, or the beginning "
        "of a URL.",
        examples=["octo/hello"],
    )
    reason: str | None = Field(None, max_length=500, description="Shown to clients who submit it.")


class PersonRequest(ResponseModel):
    """Whom to forget."""

    person: str = Field(
        min_length=1, max_length=500, description="An e-mail, or a login at GitHub.", examples=["ada@example.org"]
    )
    undo: bool = Field(False, description="Whether the person may be shown again, after a new count of the boards.")


class ForgottenPerson(ResponseModel):
    """A forgotten person."""

    message: str
    person: str | None = Field(description="The keyed hash by which logs name the person; null after `undo`.")


class BlockResponse(ResponseModel):
    """What is blocked."""

    kind: Literal["repository", "owner", "address", "person"]
    value: str = Field(description="As it is compared: in lower case. Of a person a keyed hash.")
    reason: str | None
    at: str = Field(description=_TIME)


class DeliveryResponse(ResponseModel):
    """What follows from the delivery of a webhook."""

    message: str


class ChangedQueue(ResponseModel):
    """What was paused, resumed, limited or moved."""

    message: str
    is_change: bool = Field(description="Whether anything is different now.")


class DroppedRepository(ResponseModel):
    """The repository that was taken out of the queue."""

    message: str
    id: int
