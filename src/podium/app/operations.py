"""What an operator looks into, put together: the queues, GitHub's budget, the metrics of a process."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from podium.app import factories
from podium.errors import NoDatabaseYet
from podium.jobs.queues import QueueMonitor
from podium.monitoring.inspector import Inspector
from podium.monitoring.overview import Budget
from podium.settings import Settings
from podium.storage.migrate import check_revision
from podium.storage.session import Database

if TYPE_CHECKING:
    from podium.accounts.github.token_pool import TokenPool


@dataclasses.dataclass(frozen=True, slots=True)
class Sight:
    """What an operator's command sees: the database, and the queues that are not in another process's memory."""

    db: Database
    queues: QueueMonitor | None
    inspector: Inspector


@contextlib.contextmanager
def operating(settings: Settings) -> Iterator[Sight]:
    """The installation that the settings name, for the length of a ``with`` block.

    Raises:
        StorageError: there is no database yet, it cannot be read, or it must be migrated first.
    """
    refuse_to_make_one(settings)
    with contextlib.closing(factories.connect(settings)) as db, shared_queues(settings) as queues:
        # Never migrated by whoever only looks: a server of the older version may be at work on it.
        check_revision(db)
        yield Sight(db, queues, Inspector(db, queues, shared_budgets(settings, db)))


def refuse_to_make_one(settings: Settings) -> None:
    """Return where there is a database that one can look into.

    Raises:
        NoDatabaseYet: its file is not there. Whoever looks does not make it.
    """
    if not settings.uses_postgres and not settings.sqlite_path().exists():
        raise NoDatabaseYet(
            f"There is no database at {settings.sqlite_path()} yet: `podium serve` makes it. If it is elsewhere, set "
            "PODIUM_DATA_DIR or DATABASE_URL as for the server."
        )


@contextlib.contextmanager
def shared_queues(settings: Settings) -> Iterator[QueueMonitor | None]:
    """The queues that processes share; None where each has its own."""
    if not settings.uses_redis:
        yield None
        return
    from podium.jobs.redis_broker import connect
    from podium.jobs.redis_queues import RedisQueues

    with contextlib.closing(RedisQueues(connect(settings))) as queues:
        yield queues


def shared_budgets(settings: Settings, db: Database) -> Callable[[], list[Budget]] | None:
    """What reads the budget that processes share; None where each has its own."""
    return functools.partial(budgets, factories.token_pools(settings, db)) if settings.uses_redis else None


def budgets(pools: tuple[TokenPool | None, TokenPool]) -> list[Budget]:
    """What GitHub still allows those who share ``pools`` (with tokens, without), as far as answers have told it.

    Raises:
        QueueError: the Redis that has it cannot be used.
    """
    tokens, anonymous = pools
    now = time.time()
    # Of an API that both may ask, the tokens' budget is the one that counts.
    windows = {**anonymous.windows(now), **(tokens.windows(now) if tokens else {})}
    return [Budget(api, window.limit, window.remaining, window.resets_at) for api, window in windows.items()]


@contextlib.contextmanager
def counting(inspector: Inspector) -> Iterator[Callable[[], bytes]]:
    """Count what this process does, for the length of a ``with`` block; gives what tells it to Prometheus."""
    from podium.monitoring.gauges import Gauges
    from podium.telemetry import metrics
    from podium.telemetry.prometheus import Prometheus

    prometheus = Prometheus(Gauges(inspector.overview))
    metrics.install(prometheus)
    try:
        yield prometheus.page
    finally:
        metrics.install(None)
