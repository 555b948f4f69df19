"""The overview as gauges, for Prometheus."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from podium.errors import PodiumError
from podium.jobs.messages.queues import COMMITS, USERS
from podium.monitoring import alarms
from podium.monitoring.alarms import AlarmFacts
from podium.monitoring.overview import DENIALS, Overview
from podium.monitoring.readiness import Readiness, Stops
from podium.storage.throttled import Throttled
from podium.telemetry.metrics import Gauge

log = logging.getLogger(__name__)

# Seconds between two reads, at least.
FRESH = 5.0


class Gauges:
    """The gauges of the whole installation, cached. Thread-safe."""

    def __init__(
        self,
        read: Callable[[], Overview],
        read_facts: Callable[[], AlarmFacts] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._read_facts = read_facts
        self._gauges = Throttled[Sequence[Gauge]](fresh=FRESH, clock=clock)

    def __call__(self) -> Sequence[Gauge]:
        """Only ``podium_up`` 0 if the database or the broker cannot be read."""
        return self._gauges.get(self._fresh)

    def _fresh(self) -> Sequence[Gauge]:
        try:
            overview = self._read()
            facts = self._read_facts() if self._read_facts is not None else None
        except PodiumError as error:
            log.warning("the overview for the metrics cannot be read: %s", error)
            return [_up(0)]
        return [_up(1), *gauges(overview), *(alarms.gauges(facts) if facts is not None else ())]


def _up(value: float) -> Gauge:
    return Gauge("podium_up", "Whether database and queue answered.", (), {(): value})


def ready_gauges(readiness: Readiness) -> list[Gauge]:
    """What this process finds wrong with what it needs."""
    failed = {problem.code: problem.stops for problem in readiness.problems()}
    names = dict.fromkeys((*(check.name for check in readiness.checks), *failed))
    return [
        Gauge(
            "podium_check_failed",
            "Whether something that this process needs cannot be used, by the check of /ready.",
            ("check",),
            {(name,): float(name in failed) for name in names},
        ),
        Gauge(
            "podium_ready",
            "Whether this process can do its work.",
            (),
            {(): float(max(failed.values(), default=Stops.NOTHING) is Stops.NOTHING)},
        ),
    ]


def gauges(overview: Overview) -> list[Gauge]:
    return [
        Gauge(
            "podium_repositories",
            "Repositories by state.",
            ("state",),
            {(state,): counted.count for state, counted in overview.repositories.items()},
        ),
        Gauge(
            "podium_oldest_repository_seconds",
            "How long the oldest unfinished repository has been in its state.",
            ("state",),
            {
                (state,): max(0.0, overview.at - counted.oldest.since)
                for state, counted in overview.repositories.items()
                if state.is_unfinished and counted.oldest and counted.oldest.since is not None
            },
        ),
        Gauge(
            "podium_queue_messages",
            "Messages by queue and kind.",
            ("queue", "kind"),
            {
                (name, kind): getattr(depth, kind)
                for name, depth in (overview.queues or {}).items()
                for kind in ("waiting", "active", "delayed", "dead")
            },
        ),
        Gauge.single("podium_leases_held", "Repositories that a worker holds.", overview.leases.held),
        Gauge.single(
            "podium_leases_expired",
            "Repositories whose worker died and that no other has taken over.",
            overview.leases.expired,
        ),
        Gauge.single(
            "podium_repositories_waiting", "Unfinished repositories that wait for a retry or a limit.", overview.waiting
        ),
        Gauge.single("podium_batches_left", "Batches of e-mails that are not looked up yet.", overview.batches_left),
        Gauge.single("podium_emails_left", "E-mails that are not looked up yet.", overview.emails_left),
        *_budget(overview),
        *_tokens(overview),
        _workers(overview),
        Gauge.single(
            "podium_counting_stopped",
            "Whether repositories wait and no live worker can count.",
            overview.counting_problem is not None,
        ),
    ]


def _budget(overview: Overview) -> list[Gauge]:
    budgets = overview.budget
    return [
        Gauge(
            "podium_github_budget_limit",
            "Points per hour that GitHub allows, of all tokens.",
            ("api",),
            {(one.api,): one.limit for one in budgets if one.limit is not None},
        ),
        Gauge(
            "podium_github_budget_remaining",
            "Points left in this hour, of all tokens.",
            ("api",),
            {(one.api,): one.remaining for one in budgets if one.remaining is not None},
        ),
        Gauge(
            "podium_github_budget_reset_timestamp_seconds",
            "When the first token's budget is reset.",
            ("api",),
            {(one.api,): one.resets_at for one in budgets if one.resets_at is not None},
        ),
        Gauge.single(
            "podium_github_limits_in_force", "Tokens with a limit of GitHub in force.", len(overview.limits_in_force)
        ),
    ]


def _tokens(overview: Overview) -> list[Gauge]:
    refused: dict[tuple[str, ...], float] = {
        (str(token.number), reason): float(is_refused)
        for token in overview.tokens
        for reason, is_refused in (
            ("credentials", token.refused_since is not None),
            *((code, code in token.denied) for code in DENIALS),
        )
    }
    return [
        Gauge(
            "podium_github_token_refused",
            "Whether GitHub refuses a token, by its place in GITHUB_TOKEN and the reason.",
            ("token", "reason"),
            refused,
        ),
        Gauge.single(
            "podium_github_away", "Whether GitHub does not answer a worker.", overview.github_away_since is not None
        ),
        Gauge.single(
            "podium_boards_unresolved",
            "Boards that wait for GitHub to answer for the rest of their accounts.",
            overview.boards_unresolved,
        ),
    ]


def _workers(overview: Overview) -> Gauge:
    # Without a worker there is an alarm, so there is a value.
    alive: dict[tuple[str, ...], float] = {(COMMITS,): 0.0, (USERS,): 0.0}
    for worker in overview.workers:
        for queue in worker.queues:
            alive[queue,] = alive.get((queue,), 0) + worker.alive
    return Gauge("podium_workers_alive", "Processes that work on a queue.", ("queue",), alive)
