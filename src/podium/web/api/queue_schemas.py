"""What the administrative routes of the queues answer, as OpenAPI describes it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from podium.web.api.schemas import ResponseModel

_TIME = "ISO 8601 in UTC."


class Depth(ResponseModel):
    """The messages of one queue."""

    waiting: int = Field(description="For a worker.")
    active: int = Field(description="Taken by one.")
    delayed: int = Field(description="Not before their time.")
    dead: int = Field(description="Given up by the engine; what they were about is rung again.")


class Oldest(ResponseModel):
    """The repository that has been in its state for longest."""

    id: int
    url: str
    since: str | None = Field(description=_TIME)
    seconds: int | None


class Standing(ResponseModel):
    """The repositories in one state."""

    count: int
    oldest: Oldest | None


class Failure(ResponseModel):
    """A repository that was given up."""

    id: int
    url: str
    error: str
    since: str = Field(description=_TIME)


class Leases(ResponseModel):
    """Repositories that a worker counts, and those whose worker has vanished."""

    held: int
    expired: int


class Budget(ResponseModel):
    """What GitHub still allows on one of its APIs, over all tokens."""

    api: str
    limit: int | None
    remaining: int | None
    resets_at: str | None = Field(description=_TIME)


class Limit(ResponseModel):
    """A token that GitHub holds back."""

    until: str = Field(description=_TIME)


class Worker(ResponseModel):
    """A process that works off queues."""

    id: str
    host: str
    pid: int
    version: str
    queues: list[str]
    started_at: str = Field(description=_TIME)
    seen_at: str = Field(description=_TIME)
    alive: bool


class Overview(ResponseModel):
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


class Retried(ResponseModel):
    """What is tried again."""

    message: str
    ids: list[int]


class Dropped(ResponseModel):
    """What was taken out."""

    message: str
    id: int
