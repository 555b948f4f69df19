"""``podium serve``: the web, and both workers unless they run elsewhere."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from contextlib import closing

from podium.app import factories
from podium.app.api_redis import shared_by_processes
from podium.app.child_environment import counting_environment
from podium.app.operations import metrics_page
from podium.app.worker_process import Worker
from podium.avatars.loader import AvatarLoader
from podium.jobs import lease
from podium.repositories.model import Repository
from podium.settings import Settings
from podium.storage.session import Database
from podium.telemetry import metrics_pipe
from podium.telemetry.current_job import current, note_outcome
from podium.web.services import Services
from podium.workers import child

log = logging.getLogger(__name__)

# Seconds until a counting process renews the lease that the server took.
_CHILD_START_SECONDS = 10.0


@contextlib.contextmanager
def services(settings: Settings, *, loopback: bool, workers: bool) -> Iterator[Services]:
    """Open the web's services. ``loopback``: only this machine can reach the server.

    Raises:
        StorageError: the database cannot be used.
    """
    stop = threading.Event()
    with closing(factories.open_database(settings)) as db:

        def count(row: Repository) -> bool:
            return _count_in_child(settings, db, stop, row)

        worker = Worker(
            settings,
            db,
            count,
            stop,
            commit_threads=settings.commit_workers if workers else 0,
            user_threads=settings.user_workers if workers else 0,
            count_start_seconds=_CHILD_START_SECONDS,
        )
        with (
            worker,
            closing(AvatarLoader(settings)) as avatars,
            metrics_page(worker.inspector) as page,
            shared_by_processes(settings) as (counters, client_ids),
        ):
            yield Services(
                settings=settings,
                db=db,
                queues=worker.queues,
                loopback=loopback,
                queue_ready=worker.queues.check,
                mark_stale=factories.mark_stale(settings),
                avatars=avatars,
                inspector=worker.inspector,
                metrics=page,
                counters=counters,
                client_ids=client_ids,
            )


def _count_in_child(settings: Settings, db: Database, stop: threading.Event, row: Repository) -> bool:
    """Count in another process, so that a large history does not slow the web."""
    job = current()
    arguments = ["_count", str(row.id), str(row.lease_token), *(["--job", job.id] if job else [])]
    status = child.run(arguments, counting_environment(settings), stop, lambda line: metrics_pipe.receive(line, job))
    if not status:
        return True
    note_outcome("crashed")
    # The reconciler enqueues it later: the next child might crash as fast.
    log.warning("repository %d: the counting process ended with status %d", row.id, status)
    if status > 0:
        # The child could not start and logged why. A killed child leaves its lease, which counts as a crash.
        lease.give_back(db, row)
    return False
