"""The metrics: declared here, counted by ``metrics.add(metrics.JOBS, queue=…, outcome=…)``.

Only a process that installs a :class:`Sink` counts. Facts about the whole installation are read at each scrape, as
:class:`Gauge`. Labels have few values: never a repository, a person or an address.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal, Protocol


@dataclasses.dataclass(frozen=True, slots=True)
class Metric:
    name: str
    kind: Literal["counter", "histogram"]
    doc: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Gauge:
    name: str
    doc: str
    labels: tuple[str, ...]
    values: Mapping[tuple[str, ...], float]

    @classmethod
    def single(cls, name: str, doc: str, value: float) -> Gauge:
        """One without labels."""
        return cls(name, doc, (), {(): value})


class Sink(Protocol):
    def add(self, metric: Metric, value: float, labels: Mapping[str, str]) -> None:
        """Add ``value`` to a counter, or observe it in a histogram. Thread-safe."""


JOBS = Metric("podium_jobs_total", "counter", "Jobs that ended, by queue and outcome.", ("queue", "outcome"))
JOB_SECONDS = Metric(
    "podium_job_seconds",
    "histogram",
    "How long a job took.",
    ("queue",),
    # From a batch that needs no request to a history of millions of commits.
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
    "Requests to GitHub, by kind and outcome.",
    ("kind", "outcome"),
)
CHECKS = Metric(
    "podium_checks_total",
    "counter",
    "Repositories that the schedule asked their hosts for, by outcome.",
    ("outcome",),
)
AVATARS = Metric(
    "podium_avatars_total",
    "counter",
    "Avatars fetched from their hosts, by outcome.",
    ("outcome",),
)
WEBHOOKS = Metric(
    "podium_webhooks_total",
    "counter",
    "Deliveries of hosts' webhooks, by kind of host and outcome.",
    ("kind", "outcome"),
)
DATABASE_ERRORS = Metric(
    "podium_database_errors_total", "counter", "Transactions that the database refused, by reason.", ("kind",)
)
STALE_ANSWERS = Metric(
    "podium_stale_answers_total", "counter", "Answers that show what was known before the database went away."
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
        CHECKS,
        AVATARS,
        WEBHOOKS,
        DATABASE_ERRORS,
        STALE_ANSWERS,
        HTTP_REQUESTS,
        HTTP_SECONDS,
    )
}

_sink: Sink | None = None


def install(sink: Sink | None) -> None:
    """Send what this process counts to ``sink``; None drops it."""
    global _sink  # noqa: PLW0603 - a process has one
    _sink = sink


def add(metric: Metric, value: float = 1.0, /, **labels: str) -> None:
    if _sink is not None:
        _sink.add(metric, value, labels)
