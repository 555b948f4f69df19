"""What Podium counts, declared once, and how a room counts it.

A room says ``metrics.add(metrics.JOBS, queue=…, outcome=…)``. Where that goes is a :class:`Sink`, which a process that
is asked for its metrics installs (:mod:`podium.telemetry.prometheus`); in every other process, the command line's above
all, counting does nothing and imports nothing. What is true of the whole installation (states, queues, budget) is not
counted here but read when somebody asks, as :class:`Gauge`.

Labels have few values: never a repository, a person or an address.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal, Protocol


@dataclasses.dataclass(frozen=True, slots=True)
class Metric:
    """A counter, or a histogram with the upper bounds of its ``buckets``."""

    name: str
    kind: Literal["counter", "histogram"]
    doc: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Gauge:
    """What is true at one moment: a value for each combination of labels."""

    name: str
    doc: str
    labels: tuple[str, ...]
    values: Mapping[tuple[str, ...], float]


class Sink(Protocol):
    """Where counts go."""

    def add(self, metric: Metric, value: float, labels: Mapping[str, str]) -> None:
        """Add ``value`` to a counter, or observe it in a histogram. Safe in threads."""


JOBS = Metric("podium_jobs_total", "counter", "Jobs that ended, by queue and how.", ("queue", "outcome"))
JOB_SECONDS = Metric(
    "podium_job_seconds",
    "histogram",
    "How long a job took.",
    ("queue",),
    # From a batch that is known already to a history of millions.
    (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200),
)
COMMITS = Metric("podium_commits_counted_total", "counter", "Commits read and saved.")
COUNT_SECONDS = Metric(
    "podium_commits_counting_seconds_total",
    "counter",
    "Time spent on reading the commits of podium_commits_counted_total.",
)
GITHUB_REQUESTS = Metric(
    "podium_github_requests_total",
    "counter",
    "Requests to GitHub, by what was asked and what came of it.",
    ("kind", "outcome"),
)
AVATARS = Metric(
    "podium_avatars_total",
    "counter",
    "Pictures of accounts asked for at their hosts, by what came of it.",
    ("outcome",),
)
DATABASE_ERRORS = Metric(
    "podium_database_errors_total", "counter", "Transactions that the database refused, by the reason.", ("kind",)
)
HTTP_REQUESTS = Metric(
    "podium_http_requests_total", "counter", "Requests answered, by route and status.", ("method", "route", "status")
)
HTTP_SECONDS = Metric(
    "podium_http_request_seconds",
    "histogram",
    "How long an answer took.",
    ("route",),
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)

ALL = {
    metric.name: metric
    for metric in (
        JOBS,
        JOB_SECONDS,
        COMMITS,
        COUNT_SECONDS,
        GITHUB_REQUESTS,
        AVATARS,
        DATABASE_ERRORS,
        HTTP_REQUESTS,
        HTTP_SECONDS,
    )
}

_sink: Sink | None = None


def install(sink: Sink | None) -> None:
    """Send what this process counts to ``sink``; None: nowhere."""
    global _sink  # noqa: PLW0603 - a process has one
    _sink = sink


def add(metric: Metric, value: float = 1.0, /, **labels: str) -> None:
    """Count: add ``value`` to a counter, or observe it in a histogram."""
    if _sink is not None:
        _sink.add(metric, value, labels)
