"""The state of the queues at one moment, for operators.

``GET /queues`` and ``podium queue --json`` have the structure of these classes, and FastAPI documents them. Times are
seconds since the epoch by the database's clock; in JSON, ISO 8601.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any

from podium.jobs.messages.queues import Depth
from podium.repositories.model import State
from podium.timeutil import iso_time


class _IsoTime:
    def __get_pydantic_core_schema__(self, _source: Any, handler: Any) -> Any:
        return handler.generate_schema(str)


Time = Annotated[float, _IsoTime()]


def camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


# Pydantic reads this.
_IN_JSON = {"alias_generator": camel_case, "extra": "forbid"}


@dataclasses.dataclass(frozen=True, slots=True)
class OldestRepository:
    """The repository that has been in its state the longest; ``seconds``: for how long."""

    __pydantic_config__ = _IN_JSON

    id: int
    url: str
    since: Time | None
    seconds: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class StateCount:
    """The repositories in one state."""

    __pydantic_config__ = _IN_JSON

    count: int
    oldest: OldestRepository | None


@dataclasses.dataclass(frozen=True, slots=True)
class FailedRepository:
    """A repository that failed; ``since``: when."""

    __pydantic_config__ = _IN_JSON

    id: int
    url: str
    error: str
    since: Time


@dataclasses.dataclass(frozen=True, slots=True)
class HostAway:
    """A git host that does not answer, and how many repositories wait for it."""

    __pydantic_config__ = _IN_JSON

    host: str
    since: Time
    next_try_at: Time | None
    message: str
    waiting: int


@dataclasses.dataclass(frozen=True, slots=True)
class DelayedRepository:
    """A repository that waits for a retry; ``has_board``: its last count is shown meanwhile."""

    __pydantic_config__ = _IN_JSON

    id: int
    url: str
    reason: str
    next_try_at: Time | None
    has_board: bool


@dataclasses.dataclass(frozen=True, slots=True)
class HiddenRepository:
    """A board that no reader sees, because its host says that the repository is private or does not exist."""

    __pydantic_config__ = _IN_JSON

    id: int
    url: str
    since: Time
    next_try_at: Time | None


@dataclasses.dataclass(frozen=True, slots=True)
class UndecidedBoard:
    """A board whose name another repository has at its host: an administrator decides what becomes of it."""

    __pydantic_config__ = _IN_JSON

    id: int
    url: str
    since: Time


@dataclasses.dataclass(frozen=True, slots=True)
class PausedThing:
    """What an administrator has paused.

    - kind: `schedule`, `host` or `repository`; name: a host, or a repository's id.
    - url: of a repository.
    - waiting: repositories that wait for a paused host.
    """

    __pydantic_config__ = _IN_JSON

    kind: str
    name: str
    url: str | None
    since: Time
    waiting: int


@dataclasses.dataclass(frozen=True, slots=True)
class LimitedHost:
    """A host with a limit, and how many of its repositories are counted now; ``atOnce`` 0: any number."""

    __pydantic_config__ = _IN_JSON

    host: str
    at_once: int
    running: int


@dataclasses.dataclass(frozen=True, slots=True)
class QueuedRepository:
    """One of the next repositories that are counted.

    - place: from 1.
    - priority: `people`, or `schedule`, which comes after them.
    - reason: why it is not counted although a worker is free; null if nothing keeps it.
    """

    __pydantic_config__ = _IN_JSON

    id: int
    url: str
    place: int
    priority: str
    reason: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class QueuedByPriority:
    """Repositories that wait to be counted: for people, and for the schedule."""

    __pydantic_config__ = _IN_JSON

    people: int
    schedule: int


@dataclasses.dataclass(frozen=True, slots=True)
class DueChecks:
    """Checks of hosts that are due, and for how many seconds the first of them; without what is paused."""

    __pydantic_config__ = _IN_JSON

    count: int
    seconds: int


@dataclasses.dataclass(frozen=True, slots=True)
class LeaseCounts:
    """Leases that workers hold, and expired ones that no worker has taken over."""

    __pydantic_config__ = _IN_JSON

    held: int
    expired: int


@dataclasses.dataclass(frozen=True, slots=True)
class ApiBudget:
    """The requests left on one of GitHub's APIs, over all tokens; null if unknown or unlimited."""

    __pydantic_config__ = _IN_JSON

    api: str
    limit: int | None
    remaining: int | None
    resets_at: Time | None


@dataclasses.dataclass(frozen=True, slots=True)
class LimitInForce:
    """A token that GitHub allows no request until a time."""

    __pydantic_config__ = _IN_JSON

    until: Time


# Why GitHub denies a repository to a token that it accepts.
DENIALS = {
    "sso": "an organisation asks for single sign-on, which this token is not authorised for",
    "forbidden": "it may not read a repository: let it read public repositories",
}


@dataclasses.dataclass(frozen=True, slots=True)
class TokenStatus:
    """What GitHub thinks of a token, by its place in `GITHUB_TOKEN`.

    - refusedSince: null if GitHub accepts it.
    - nextTryAt: when a refused token is tried again.
    - denied: `sso`, `forbidden`: GitHub denied it a repository in the last hour, for this reason.
    - budgets: the requests left on each API that was asked with it.
    """

    __pydantic_config__ = _IN_JSON

    number: int
    refused_since: Time | None
    next_try_at: Time | None
    denied: tuple[str, ...]
    budgets: tuple[ApiBudget, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker process, by its last heartbeat.

    - problem: why it takes no repositories to count; null if it does, or is not there to count.
    - revision: the database revision that it needs; null if it did not say.
    """

    __pydantic_config__ = _IN_JSON

    id: str
    host: str
    pid: int
    version: str
    queues: tuple[str, ...]
    started_at: Time
    seen_at: Time
    alive: bool
    problem: str | None
    revision: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Overview:
    """Queues, repositories, GitHub's budget and workers at one moment.

    - queues: messages by queue; null if this process cannot read them and no worker reports them.
    - queuesSource: where they were read: `memory`, `redis`, or `heartbeat` (the workers' last reports).
    - repositories: by state, in order of processing; also boards of branches and tags that are not completed.
    - failures: the ten latest.
    - waiting: unfinished repositories that wait for a retry or for the end of a limit.
    - hostsAway, delayed, hidden: ten of each.
    - undecided: ten boards about which an administrator must decide.
    - paused: the ten that were paused first.
    - hostLimits: ten hosts with a limit of concurrent counts.
    - queued: repositories that wait to be counted; next: the first ten of them.
    - checksDue: whose hosts are to be asked by now.
    - batchesLeft, emailsLeft: what remains to be looked up.
    - limitsInForce: the first to end first.
    - tokens: GitHub's tokens, as the processes that have them report them.
    - githubAwaySince: null if GitHub answered the last time that a worker asked.
    - boardsUnresolved: boards that wait for GitHub to answer for the rest of their accounts.
    - countingProblem: why pending repositories are not counted by any worker; null if one counts, or none is pending.
    """

    __pydantic_config__ = _IN_JSON

    at: Time
    queues: Mapping[str, Depth] | None
    queues_source: str | None
    repositories: Mapping[State, StateCount]
    failures: tuple[FailedRepository, ...]
    leases: LeaseCounts
    waiting: int
    hosts_away: tuple[HostAway, ...]
    delayed: tuple[DelayedRepository, ...]
    hidden: tuple[HiddenRepository, ...]
    undecided: tuple[UndecidedBoard, ...]
    paused: tuple[PausedThing, ...]
    host_limits: tuple[LimitedHost, ...]
    queued: QueuedByPriority
    next: tuple[QueuedRepository, ...]
    checks_due: DueChecks
    batches_left: int
    emails_left: int
    budget: tuple[ApiBudget, ...]
    limits_in_force: tuple[LimitInForce, ...]
    tokens: tuple[TokenStatus, ...]
    github_away_since: Time | None
    boards_unresolved: int
    counting_problem: str | None
    workers: tuple[WorkerRow, ...]


def nothing_yet(at: float) -> Overview:
    """The overview at the time ``at`` where no database has been created."""
    return Overview(
        at=at,
        queues=None,
        queues_source=None,
        repositories={state: StateCount(0, None) for state in State},
        failures=(),
        leases=LeaseCounts(0, 0),
        waiting=0,
        hosts_away=(),
        delayed=(),
        hidden=(),
        undecided=(),
        paused=(),
        host_limits=(),
        queued=QueuedByPriority(0, 0),
        next=(),
        checks_due=DueChecks(0, 0),
        batches_left=0,
        emails_left=0,
        budget=(),
        limits_in_force=(),
        tokens=(),
        github_away_since=None,
        boards_unresolved=0,
        counting_problem=None,
        workers=(),
    )


def as_json(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {
            camel_case(field.name): iso_time(found) if "Time" in str(field.type) else as_json(found)
            for field in dataclasses.fields(value)
            for found in [getattr(value, field.name)]
        }
    if isinstance(value, Mapping):
        return {name: as_json(each) for name, each in value.items()}
    return [as_json(each) for each in value] if isinstance(value, tuple) else value
