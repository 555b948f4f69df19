"""The overview as gauges, for whoever collects metrics."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from podium.errors import PodiumError
from podium.monitoring.overview import Overview
from podium.telemetry.metrics import Gauge

log = logging.getLogger(__name__)

# An overview is kept for this many seconds, and for so many times as long as it took to read: reading it never takes
# more than a twentieth of the database's time, however large the installation and whoever asks how often.
FRESH = 5.0
SHARE = 20.0


class Gauges:
    """What is true of the whole installation, read when it is asked for, but not again at once. Safe in threads."""

    def __init__(self, read: Callable[[], Overview], clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._until = float("-inf")
        self._gauges: Sequence[Gauge] = ()

    def __call__(self) -> Sequence[Gauge]:
        """The gauges; only ``podium_up`` 0 where database or broker cannot be read."""
        with self._lock:
            started = self._clock()
            if started >= self._until:
                self._gauges = self._fresh()
                ended = self._clock()
                self._until = ended + max(FRESH, SHARE * (ended - started))
            return self._gauges

    def _fresh(self) -> Sequence[Gauge]:
        try:
            overview = self._read()
        except PodiumError as error:
            log.warning("the overview for the metrics cannot be read: %s", error)
            return [_up(0)]
        return [_up(1), *gauges(overview)]


def _up(value: float) -> Gauge:
    return Gauge("podium_up", "Whether database and queue answered.", (), {(): value})


def gauges(overview: Overview) -> list[Gauge]:
    """Every gauge of an overview."""
    return [
        Gauge(
            "podium_repositories",
            "Repositories by state.",
            ("state",),
            {(standing.state,): standing.count for standing in overview.repositories},
        ),
        Gauge(
            "podium_oldest_repository_seconds",
            "For how long the oldest unfinished repository has been in its state.",
            ("state",),
            {
                (standing.state,): max(0.0, overview.at - standing.since)
                for standing in overview.repositories
                if standing.since is not None and standing.state not in ("completed", "failed")
            },
        ),
        Gauge(
            "podium_queue_messages",
            "Messages by queue and what becomes of them.",
            ("queue", "kind"),
            {
                (name, kind): getattr(depth, kind)
                for name, depth in (overview.queues or {}).items()
                for kind in ("waiting", "active", "delayed", "dead")
            },
        ),
        _single("podium_leases_held", "Repositories that a worker counts.", overview.leases_held),
        _single("podium_leases_expired", "Repositories whose worker has vanished.", overview.leases_expired),
        _single("podium_repositories_waiting", "Unfinished repositories that wait for a time.", overview.waiting),
        _single("podium_batches_left", "Batches of e-mails that are still to be looked up.", overview.batches_left),
        _single("podium_emails_left", "E-mails that are still to be looked up.", overview.emails_left),
        *_budget(overview),
        _workers(overview),
    ]


def _single(name: str, doc: str, value: float) -> Gauge:
    return Gauge(name, doc, (), {(): value})


def _budget(overview: Overview) -> list[Gauge]:
    budgets = overview.budgets
    return [
        Gauge(
            "podium_github_budget_limit",
            "Points an hour that GitHub allows all tokens together.",
            ("api",),
            {(one.api,): one.limit for one in budgets if one.limit is not None},
        ),
        Gauge(
            "podium_github_budget_remaining",
            "Points that are left of them.",
            ("api",),
            {(one.api,): one.remaining for one in budgets if one.remaining is not None},
        ),
        Gauge(
            "podium_github_budget_reset_timestamp_seconds",
            "When the first token's hour begins anew.",
            ("api",),
            {(one.api,): one.resets_at for one in budgets if one.resets_at is not None},
        ),
        _single("podium_github_limits_in_force", "Tokens that GitHub holds back.", len(overview.limits)),
    ]


def _workers(overview: Overview) -> Gauge:
    alive: dict[tuple[str, ...], float] = {}
    for worker in overview.workers:
        for queue in worker.queues:
            alive[queue,] = alive.get((queue,), 0) + worker.alive
    return Gauge("podium_workers_alive", "Processes that work off a queue.", ("queue",), alive)
