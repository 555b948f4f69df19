"""What the administrative routes of the queues answer, as OpenAPI describes it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from podium.web.api.schemas import Answer

_TIME = "ISO 8601 in UTC."


class Depth(Answer):
    """The messages of one queue."""

    waiting: int = Field(description="For a worker.")
    active: int = Field(description="Taken by one.")
    delayed: int = Field(description="Not before their time.")
    dead: int = Field(description="Given up by the engine; what they were about is rung again.")


class Oldest(Answer):
    """The repository that has been in its state for longest."""

    id: int
    url: str
    since: str | None = Field(description=_TIME)
    seconds: int | None


class Standing(Answer):
    """The repositories in one state."""

    count: int
    oldest: Oldest | None


class Failure(Answer):
    """A repository that was given up."""

    id: int
    url: str
    error: str
    since: str = Field(description=_TIME)


class Leases(Answer):
    """Repositories that a worker counts, and those whose worker has vanished."""

    held: int
    expired: int


class Budget(Answer):
    """What GitHub still allows on one of its APIs, over all tokens."""

    api: str
    limit: int | None
    remaining: int | None
    resets_at: str | None = Field(description=_TIME)


class Limit(Answer):
    """A token that GitHub holds back."""

    until: str = Field(description=_TIME)


class Worker(Answer):
    """A process that works off queues."""

    id: str
    host: str
    pid: int
    version: str
    queues: list[str]
    started_at: str = Field(description=_TIME)
    seen_at: str = Field(description=_TIME)
    alive: bool


class Overview(Answer):
    """Queues, repositories, budget and workers at one moment."""

    at: str = Field(description=_TIME)
    queues: dict[str, Depth] | None = Field(description="Null where this process cannot see them.")
    queues_source: Literal["memory", "redis", "heartbeat"] | None = Field(description="Where they were read.")
    repositories: dict[str, Standing] = Field(description="By state.")
    failures: list[Failure] = Field(description="The ten latest.")
    leases: Leases
    waiting: int = Field(description="Unfinished repositories that are left alone until a time.")
    batches_left: int
    emails_left: int
    budget: list[Budget] = Field(description="Empty where no answer of GitHub has told it yet.")
    limits_in_force: list[Limit]
    workers: list[Worker]


class Retried(Answer):
    """What is tried again."""

    message: str
    ids: list[int]


class Dropped(Answer):
    """What was taken out."""

    message: str
    id: int
