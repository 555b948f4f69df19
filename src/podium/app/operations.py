"""What an operator uses: queues and database, migrations, the metrics page."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from podium.app import factories
from podium.audit import audit_log
from podium.errors import NoDatabaseYet
from podium.jobs.messages.queues import QueueMonitor
from podium.monitoring.inspector import Inspector
from podium.monitoring.overview import ApiBudget, TokenStatus
from podium.settings import Settings
from podium.storage import migrate
from podium.storage.session import Database

if TYPE_CHECKING:
    from podium.accounts.github.budget import RateWindow
    from podium.accounts.github.token_pool import TokenPool
    from podium.monitoring.readiness import Readiness
    from podium.telemetry.metrics import Gauge


@dataclasses.dataclass(frozen=True, slots=True)
class Installation:
    """``queues``: in Redis; None: they are in the memory of another process."""

    db: Database
    queues: QueueMonitor | None
    inspector: Inspector


@contextlib.contextmanager
def installation(settings: Settings) -> Iterator[Installation]:
    """Open the configured installation.

    Raises:
        StorageError: the database does not exist, cannot be read, or must be migrated first.
    """
    check_database_exists(settings)
    with contextlib.closing(factories.connect(settings)) as db, shared_queues(settings) as queues:
        # Not migrated here: a server of the older version may be using it.
        migrate.check_revision(db)
        yield Installation(db, queues, shared_inspector(settings, db, queues))


def check_database_exists(settings: Settings) -> None:
    """Raise NoDatabaseYet if the SQLite file does not exist, which a command that only reads must not create."""
    if not settings.uses_postgres and not settings.sqlite_path().exists():
        raise NoDatabaseYet(
            f"There is no database at {settings.sqlite_path()} yet: the first `podium rank` or `podium serve` creates "
            "it. If it is elsewhere, set PODIUM_DATA_DIR or DATABASE_URL as for the server."
        )


def migrate_database(settings: Settings, *, to: str, check: bool) -> str:
    """Migrate to a revision, or only compare the tables with the declared ones. Return the database's revision.

    Raises:
        StorageError: the database cannot be migrated, or differs.
    """
    url = factories.database_url(settings)
    if check:
        migrate.check_tables(url)
        return migrate.HEAD
    with contextlib.closing(factories.connect(settings)) as db:
        before = migrate.revision(db)
        after = migrate.migrate(url, to)
        if before != after and after in migrate.REVISIONS[migrate.REVISIONS.index(audit_log.SINCE) :]:
            with db.write() as session:
                audit_log.record(session, audit_log.command_line(), "migrate", after, f"from {before or 'none'}")
    return after


@contextlib.contextmanager
def shared_queues(settings: Settings, **timeouts: float) -> Iterator[QueueMonitor | None]:
    """Open the queues in Redis; None if each process has its own.

    ``timeouts``: as of :func:`podium.jobs.messages.redis_broker.connect`.
    """
    if not settings.uses_redis:
        yield None
        return
    from podium.jobs.messages.redis_broker import connect
    from podium.jobs.messages.redis_queues import RedisQueues

    with contextlib.closing(RedisQueues(connect(settings, **timeouts))) as queues:
        yield queues


def shared_inspector(settings: Settings, db: Database, queues: QueueMonitor | None) -> Inspector:
    """Return an inspector of a process that does not work on the queues."""
    if not settings.uses_redis:
        # Each process has its own budget.
        return Inspector(db, queues, counts_per_host=settings.counts_per_host)
    return pool_inspector(settings, db, queues, factories.token_pools(settings, db))


def pool_inspector(
    settings: Settings,
    db: Database,
    queues: QueueMonitor | None,
    pools: tuple[TokenPool | None, TokenPool],
    github_away_since: Callable[[], float | None] = lambda: None,
) -> Inspector:
    return Inspector(
        db,
        queues,
        functools.partial(budgets, pools),
        functools.partial(token_statuses, pools),
        github_away_since,
        settings.counts_per_host,
    )


def budgets(pools: tuple[TokenPool | None, TokenPool]) -> list[ApiBudget]:
    """Return GitHub's last reported budget per API.

    Raises:
        QueueError: the Redis that stores it cannot be used.
    """
    tokens, anonymous = pools
    now = time.time()
    # Requests to an API of both pools use a token first.
    windows = {**anonymous.windows(now), **(tokens.windows(now) if tokens else {})}
    return list(_api_budgets(windows))


def token_statuses(pools: tuple[TokenPool | None, TokenPool]) -> list[TokenStatus]:
    """Return what GitHub thinks of this process's tokens; raises as :func:`budgets`."""
    tokens, _ = pools
    if tokens is None:
        return []
    now = time.time()
    found = zip(tokens.health(now), tokens.windows_of_each(now), strict=True)
    return [
        TokenStatus(number, health.refused_since, health.next_try_at, health.denied, _api_budgets(windows))
        for number, (health, windows) in enumerate(found, 1)
    ]


def _api_budgets(windows: Mapping[str, RateWindow]) -> tuple[ApiBudget, ...]:
    return tuple(ApiBudget(api, window.limit, window.remaining, window.resets_at) for api, window in windows.items())


def gauges_of(settings: Settings, inspector: Inspector, readiness: Readiness) -> Callable[[], Sequence[Gauge]]:
    from podium.monitoring import alarms, stalled
    from podium.monitoring.gauges import Gauges, ready_gauges

    no_progress_after = stalled.no_progress_after(settings.git_idle_timeout)
    installation_wide = Gauges(
        inspector.overview,
        functools.partial(
            alarms.read,
            inspector.db,
            no_progress_after=no_progress_after,
            counts_per_host=inspector.counts_per_host,
        ),
    )
    return lambda: [*installation_wide(), *ready_gauges(readiness)]


@contextlib.contextmanager
def metrics_page(settings: Settings, inspector: Inspector, readiness: Readiness) -> Iterator[Callable[[], bytes]]:
    from podium.telemetry import metrics
    from podium.telemetry.prometheus import Prometheus

    prometheus = Prometheus(gauges_of(settings, inspector, readiness))
    metrics.install(prometheus)
    try:
        yield prometheus.page
    finally:
        metrics.install(None)
