"""``podium serve``: the web, and both workers unless they run elsewhere."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

from podium.app import factories, ready_checks
from podium.app.database_watch import DatabaseWatch
from podium.app.operations import metrics_page
from podium.app.processes import doctor_process
from podium.app.processes.api_redis import shared_by_processes
from podium.app.processes.worker_process import Worker
from podium.avatars.loader import AvatarLoader
from podium.forgetting.cleanup import periodic
from podium.monitoring.inspector import Inspector
from podium.monitoring.readiness import Readiness
from podium.settings import Settings
from podium.storage.transactions.guarded_database import GuardedDatabase
from podium.submissions.demo import demo_addresses, submit_unknown
from podium.web.admin_sessions import OneTimeCode
from podium.web.services import Services

MetricsPage = Callable[[Settings, Inspector, Readiness], contextlib.AbstractContextManager[Callable[[], bytes]]]


@contextlib.contextmanager
def services(
    settings: Settings,
    *,
    loopback: bool,
    workers: bool,
    code: OneTimeCode | None = None,
    metrics_page: MetricsPage = metrics_page,
) -> Iterator[Services]:
    """Open the web's services.

    Args:
        loopback: whether only this machine can reach the server.
        code: of the link that makes a browser the administrator's.
        metrics_page: installs the process' metrics, and renders them.

    Raises:
        BadSetting: ``PODIUM_DEMO`` has an address that this server does not accept.
        StorageError: the database cannot be used.
    """
    demo = demo_addresses(settings)
    stop = threading.Event()
    on_removal: list[Callable[[], None]] = []
    with closing(factories.open_database(settings)) as db:
        # SQLite is in this process: it cannot be away.
        guarded = GuardedDatabase(db, fails_fast=settings.uses_postgres)
        watch = DatabaseWatch(guarded, on_removal)
        worker = Worker(
            settings,
            db if workers else guarded,
            stop,
            commit_threads=settings.commit_workers if workers else 0,
            user_threads=settings.user_workers if workers else 0,
        )
        with (
            worker,
            periodic(factories.cleanup(settings, db)),
            watch.periodic(),
            closing(AvatarLoader(settings)) as avatars,
            shared_by_processes(settings) as (counters, client_ids, ended_sessions),
            ready_checks.of_server(
                settings, worker.queues.check, worker.inspector.token_fault, workers=workers
            ) as readiness,
            metrics_page(settings, worker.inspector, readiness) as page,
        ):
            submit_unknown(db, worker.queues, demo)
            yield Services(
                settings=settings,
                db=guarded,
                queues=worker.queues,
                loopback=loopback,
                readiness=readiness,
                stale_rows=factories.stale_rows(settings),
                avatars=avatars,
                inspector=worker.inspector,
                kept=factories.kept_on_disk(settings),
                metrics=page,
                counters=counters,
                client_ids=client_ids,
                ended_sessions=ended_sessions,
                code=code,
                on_removal=on_removal,
                doctor=functools.partial(doctor_process.findings, settings),
            )
