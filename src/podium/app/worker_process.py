"""Queues, workers and reconciler put together: in the process that answers HTTP, or in a worker of its own."""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from podium.accounts.user_job import UserJob
from podium.app import factories
from podium.app.operations import budgets, counting
from podium.avatars.loader import AvatarLoader
from podium.errors import StorageError
from podium.jobs import lease
from podium.jobs.broker import Backend, JobQueues
from podium.jobs.overflow import Aside
from podium.jobs.queues import COMMITS, USERS, Queues
from podium.jobs.reconciler import Reconciler, enqueue_following_batch, enqueue_next
from podium.monitoring.inspector import Inspector
from podium.settings import Settings
from podium.storage.migrate import check_revision
from podium.storage.session import Database, Row
from podium.telemetry import metrics_pipe
from podium.telemetry.current_job import current, note_outcome
from podium.web.services import Services
from podium.workers import child
from podium.workers.drain import Drain
from podium.workers.heartbeat import Heartbeat

if TYPE_CHECKING:
    from podium.accounts.github.token_pool import TokenPool

log = logging.getLogger(__name__)

# Seconds that a worker waits for a database that is away, such as one that is started anew.
_PATIENCE = 15.0


def backend(settings: Settings) -> Backend:
    """Where the settings have messages lie.

    Raises:
        BadSetting: the Redis that they name cannot be.
    """
    if settings.uses_redis:
        from podium.jobs.redis_broker import RedisBackend, connect

        return RedisBackend(connect(settings))
    from podium.jobs.memory_broker import MemoryBackend

    return MemoryBackend()


# Seconds that a process which counts one repository may take to start, before its lease runs out.
_START_UP = 10.0

# Counts a repository whose lease was taken; whether what it needs next is to be rung for.
Count = Callable[[Row], bool]


@contextlib.contextmanager
def services(settings: Settings, *, loopback: bool, workers: bool) -> Iterator[Services]:
    """Everything that ``podium serve`` answers with, with or without both workers, for the length of a ``with`` block.

    Each repository is counted in a child process, so that reading a large one never slows an answer.
    """
    stop = threading.Event()
    with (
        closing(factories.open_database(settings)) as db,
        running_engine(
            settings,
            db,
            functools.partial(_count_in_child, settings, db, stop),
            stop,
            start_up=_START_UP,
            commit_workers=settings.commit_workers if workers else 0,
            user_workers=settings.user_workers if workers else 0,
        ) as (engine, inspector),
        closing(AvatarLoader(settings)) as avatars,
        counting(inspector) as metrics_page,
    ):
        yield Services(
            settings=settings,
            db=db,
            queues=engine,
            loopback=loopback,
            queue_ready=engine.check,
            mark_stale=factories.mark_stale(settings),
            avatars=avatars,
            inspector=inspector,
            metrics=metrics_page,
        )


def _count_in_child(settings: Settings, db: Database, stop: threading.Event, row: Row) -> bool:
    job = current()
    arguments = ["_count", str(row["id"]), str(row["lease_token"]), *(["--job", job.id] if job else [])]
    status = child.run(arguments, settings.to_environment(), stop, lambda line: metrics_pipe.hear(line, job))
    if not status:
        return True
    note_outcome("crashed")
    # What ended it would end the next at once: the reconciler asks again in its time.
    log.warning("repository %d: the counting process ended with status %d", row["id"], status)
    if status > 0:
        # It could not begin, and said why; one that was killed is known by the lease that it leaves.
        lease.give_back(db, row)
    return False


def work(settings: Settings, stop: threading.Event, *, commit_workers: int, user_workers: int, drain: bool) -> int:
    """Work the queues off in this process until ``stop`` is set; give the exit code.

    ``drain``: until nothing is left to do; 1 where something failed for good.

    Raises:
        StorageError: the database cannot be used.
    """
    with closing(factories.open_database(settings, patience=_PATIENCE)) as db:
        job = factories.commit_job(settings, db, factories.server_source(settings))

        def count(row: Row) -> bool:
            job.run_held(row, stop)
            return True

        with running_engine(settings, db, count, stop, commit_workers=commit_workers, user_workers=user_workers) as (
            engine,
            _,
        ):
            if drain:
                left = Drain(db, _queues(commit_workers, user_workers))
                return left.run(engine.backend, engine.is_idle, stop)
            stop.wait()
    return 0


def check_worker(db: Database, messages: Backend) -> None:
    """Return when a worker process can use the database and the queues.

    Raises:
        PodiumError: it cannot.
    """
    check_revision(db)
    messages.check()


@contextlib.contextmanager
def running_engine(
    settings: Settings,
    db: Database,
    count: Count,
    stop: threading.Event,
    *,
    commit_workers: int,
    user_workers: int,
    start_up: float = 0.0,
) -> Iterator[tuple[JobQueues, Inspector]]:
    """Both queues, and so many threads for each, for the length of a ``with`` block; and who sees them.

    Args:
        count: counts a repository.
        stop: is set when the block ends, and may be set before.
        start_up: seconds that ``count`` takes before it renews the lease.
    """
    with contextlib.ExitStack() as running:
        works = commit_workers or user_workers
        # Importing what asks GitHub takes a while, and whoever only rings asks nobody.
        pools = factories.token_pools(settings, db)
        users = running.enter_context(_users(settings, db, pools)) if works else None

        def on_commits(rung_for: int) -> None:
            if stop.is_set():
                engine.enqueue_commits(rung_for)
                return
            row = lease.grab_next(db, rung_for, seconds=settings.lease_seconds + start_up)
            if row is None:
                note_outcome("nothing_to_do")
                return
            if (job := current()) is not None:
                job.repository = row["id"]
            if count(row):
                enqueue_next(db, engine, row["id"])

        def on_users(repository_id: int, generation: int, batch: int) -> None:
            worked = users is not None and users.run(repository_id, generation, batch, stop)
            if stop.is_set():
                # Handed back, or done already: whoever takes it finds out.
                engine.enqueue_users(repository_id, generation, batch)
            elif worked:
                enqueue_following_batch(db, engine, repository_id, generation, batch)

        engine = JobQueues(
            backend(settings),
            on_commits,
            on_users,
            commit_workers=commit_workers,
            user_workers=user_workers,
            aside=Aside(settings.long_job_seconds),
        )
        inspector = Inspector(db, engine.backend, functools.partial(budgets, pools))
        if works:
            reconciler = Reconciler(db, engine, engine.backend, settings.reconcile_seconds)
            heartbeat = Heartbeat(db, _queues(commit_workers, user_workers), inspector.report)
            running.callback(_hand_back, users, engine)
            running.callback(engine.stop)
            running.callback(reconciler.stop)
            running.callback(heartbeat.stop)
            running.callback(stop.set)
            engine.start()
            reconciler.start()
            heartbeat.start()
        yield engine, inspector


def _queues(commit_workers: int, user_workers: int) -> tuple[str, ...]:
    return (COMMITS,) * bool(commit_workers) + (USERS,) * bool(user_workers)


def _hand_back(users: UserJob | None, queues: Queues) -> None:
    """Give back the batches that no thread has finished in time."""
    try:
        for ids in users.hand_back() if users is not None else ():
            queues.enqueue_users(*ids)
    except StorageError as error:
        log.warning("what is in hand could not be handed back: %s", error)


def _users(settings: Settings, db: Database, pools: tuple[TokenPool | None, TokenPool]) -> closing[UserJob]:
    return closing(factories.user_job(settings, db, factories.github_lookup(settings, db, pools=pools)))
