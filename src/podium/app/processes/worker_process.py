"""A worker: its queues and threads, the reconciler and the heartbeat."""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
import uuid
from contextlib import closing
from typing import Any, Self

from podium.accounts.github.token_check import TokenCheck
from podium.app import factories
from podium.app.database_watch import EVERY_OF_A_WORKER, DatabaseWatch
from podium.app.operations import pool_inspector
from podium.app.processes.counting_child import START_SECONDS, ChildCounter
from podium.app.worker_report import counting_problem, limits_of_counts
from podium.app.worker_tasks import hook_checks, unresolved_boards
from podium.counting.stop_signal import StopSignal
from podium.errors import QueueError, StorageError
from podium.forgetting.cleanup import LOOK_EVERY, periodic
from podium.freshness import schedule
from podium.freshness.name_check import NameCheck
from podium.freshness.schedule_lead import ScheduleLead
from podium.jobs import lease
from podium.jobs.messages.broker import JobQueues
from podium.jobs.messages.queues import COMMITS, USERS
from podium.jobs.overflow import OverflowSlots, RunningJob
from podium.jobs.periodic import Periodic
from podium.jobs.reconciler import (
    enqueue_followers,
    enqueue_following_batch,
    enqueue_next,
    lead_seconds,
    reconciler,
)
from podium.jobs.slow_counts import SlowCounts
from podium.repositories.model import Repository
from podium.repositories.store.queue import worker_faults
from podium.settings import Settings
from podium.storage import migrate
from podium.storage.session import Database
from podium.storage.transactions.guarded_database import GuardedDatabase
from podium.telemetry.current_job import current, note_outcome
from podium.workers.commit_gate import CommitGate
from podium.workers.drain import Drain
from podium.workers.heartbeat import Heartbeat

log = logging.getLogger(__name__)

# Seconds until a message is sent again that this worker cannot serve.
LEFT_SECONDS = 1.0
# Seconds that a worker waits for a database that is away.
_DATABASE_PATIENCE = 15.0


class Worker:
    """Works on the queues from :meth:`start` (or ``with``) to :meth:`stop`.

    Args:
        stop: interrupts running jobs; :meth:`stop` sets it.
        commit_threads, user_threads: 0: it only enqueues.
        refreshes: whether it may be the one that runs the schedule.

    Raises:
        BadSetting: the settings of Redis cannot be read.
    """

    def __init__(
        self,
        settings: Settings,
        db: Database,
        stop: threading.Event,
        *,
        commit_threads: int,
        user_threads: int,
        refreshes: bool = True,
    ) -> None:
        self._db = db
        self._refreshes = refreshes
        self.worker_id = worker_id = uuid.uuid4().hex
        self._gate = CommitGate(functools.partial(counting_problem, settings), self._on_gate_opens)
        self.counter = ChildCounter(settings, db, worker_id, self._gate.look)
        self._stop = stop
        self._counts = bool(commit_threads)
        self._settings = settings
        self._lease_seconds = settings.lease_seconds + START_SECONDS
        self._works = bool(commit_threads or user_threads)
        self._slow = SlowCounts(db, settings.slow_counts_per_client, worker_id, settings.counts_per_host)
        self._overflow = OverflowSlots(
            settings.long_job_seconds, max(1, commit_threads), threads=commit_threads, policy=self._slow
        )
        self.queues = JobQueues(
            factories.backend(settings),
            self.on_commits,
            self.on_users,
            commit_threads=commit_threads,
            user_threads=user_threads,
            overflow=self._overflow,
            commits_paused=self._gate.closed,
        )
        pools = factories.token_pools(settings, db)
        self._unresolved: Periodic | None = None
        self.inspector = pool_inspector(settings, db, self.queues.backend, pools)
        self._name_check: NameCheck | None = None
        if self._works:
            # The GitHub client takes long to import.
            github = factories.github_client(settings)
            lookup = factories.github_lookup(settings, db, pools=pools, github=github)
            self._users = factories.user_job(settings, db, lookup)
            self._name_check = NameCheck(db, factories.hosts(settings, db, pools=pools, github=github))
            if user_threads:
                check = TokenCheck(github, *pools, stop)
                self.inspector = pool_inspector(settings, db, self.queues.backend, pools, lambda: check.away_since)
                self._unresolved = unresolved_boards(settings, db, self.queues, check)
            self._reconciler = reconciler(db, self.queues, self.queues.backend, settings.reconcile_seconds)
            leads = ScheduleLead(
                self.queues.backend, lead_seconds(settings.reconcile_seconds), works_on_users=bool(user_threads)
            )
            self._schedule = factories.schedule(
                settings, db, self.queues, pools=pools, github=github, leads=leads, stop=stop
            )
            self._passes = schedule.periodic(self._schedule, min(schedule.EVERY, 2 * settings.reconcile_seconds))
            hosts = factories.hosts(settings, db, pools=pools, github=github)
            self._hook_checks = hook_checks(db, self.queues, hosts, leads, stop)
            names = (COMMITS,) * bool(commit_threads) + (USERS,) * bool(user_threads)
            self._heartbeat = Heartbeat(db, names, self._report, worker_id)

    def on_commits(self, enqueued: int, running: RunningJob) -> None:
        """Count the next repository, which may be another one than ``enqueued``."""
        if self._stop.is_set() or self._gate.closed.is_set():
            self.queues.enqueue_commits(enqueued)
            return
        per_host = self._settings.counts_per_host
        grabbed = lease.grab_next(
            self._db, enqueued, seconds=self._lease_seconds, worker=self.worker_id, per_host=per_host
        )
        row = grabbed or self._grab_slow()
        if row is None:
            note_outcome("nothing_to_do")
            self._leave_to_another_worker(enqueued)
            return
        running.repository = row
        if (job := current()) is not None:
            job.repository = row.id
        stopping = StopSignal(self._stop, running.stop)
        if not self._may_count(row, stopping):
            note_outcome("failed")
        elif self.counter.count(row, stopping):
            enqueue_next(self._db, self.queues, row.id)
        enqueue_followers(self._db, self.queues, row, per_host=per_host)

    def _may_count(self, row: Repository, stopping: StopSignal) -> bool:
        if self._name_check is None:
            return True
        # A host may take longer to answer than a lease lasts.
        with lease.renewing(self._db, row, seconds=self._lease_seconds):
            return self._name_check.may_count(row, stopping)

    def _leave_to_another_worker(self, enqueued: int) -> None:
        """Wake a worker that can count what this one cannot."""
        with self._db.read() as session:
            is_left = worker_faults.is_left_by(session, enqueued, self.worker_id)
        if is_left:
            self.queues.enqueue_commits(enqueued, delay=LEFT_SECONDS)

    def leads_cleanup(self) -> bool:
        """Whether this process, of all with the same queues, deletes what nothing needs; it may raise QueueError."""
        return self.queues.backend.leads("cleanup", lead_seconds(LOOK_EVERY))

    @property
    def problem(self) -> str | None:
        """What keeps this machine from counting."""
        return self._gate.problem if self._counts else None

    def _on_gate_opens(self) -> None:
        with self._db.write() as session:
            worker_faults.forget_machine(session, self.worker_id)

    def _report(self) -> dict[str, Any]:
        found = self.inspector.report() | {"revision": migrate.HEAD}
        if self._counts:
            found |= {"limits": limits_of_counts(self._settings), "problem": self.problem}
        return found

    def _grab_slow(self) -> Repository | None:
        number = self._slow.next_waiting() if self._overflow.has_room else None
        if number is None:
            return None
        per_host = self._settings.counts_per_host
        return lease.grab_slow(self._db, number, seconds=self._lease_seconds, per_host=per_host)

    def on_users(self, repository_id: int, generation: int, batch: int) -> None:
        worked = self._users.run(repository_id, generation, batch, self._stop)
        if self._stop.is_set():
            # The batch was released, or it is done and the next worker finds nothing to do.
            self.queues.enqueue_users(repository_id, generation, batch)
        elif worked:
            enqueue_following_batch(self._db, self.queues, repository_id, generation, batch)

    def start(self) -> None:
        if self._works:
            if self._counts:
                self._gate.start()
            self.queues.start()
            self._reconciler.start()
            if self._refreshes:
                self._passes.start()
                self._hook_checks.start()
            self._heartbeat.start()
            if self._unresolved is not None:
                self._unresolved.start()

    def stop(self) -> None:
        """Interrupt the jobs, wait some seconds, and leave unfinished work to other workers."""
        if not self._works:
            return
        self._stop.set()
        with closing(self._users), closing(self.counter):
            self._gate.stop()
            self._heartbeat.stop()
            # A request to a host may take long to end.
            self._passes.stop(wait=False)
            self._schedule.close()
            self._hook_checks.stop()
            self._reconciler.stop()
            with contextlib.suppress(QueueError):
                self.queues.backend.stop_leading()
            if self._unresolved is not None:
                self._unresolved.stop()
            self.queues.stop()
            self._release_batches()

    def _release_batches(self) -> None:
        try:
            for batch in self._users.release_claims():
                self.queues.enqueue_users(*batch)
        except StorageError as error:
            log.warning("batches in work cannot be released: %s", error)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            # It was stopped while it started: it gives back what it has taken.
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def work(settings: Settings, stop: threading.Event, *, commit_threads: int, user_threads: int, drain: bool) -> int:
    """Work on the queues until ``stop`` is set, or (``drain``) nothing is left.

    Returns:
        The exit code; 1 if ``drain`` and a repository failed or cannot be counted here.

    Raises:
        StorageError: the database cannot be used.
    """
    with (
        closing(factories.open_database(settings, patience=_DATABASE_PATIENCE)) as opened,
        DatabaseWatch(db := GuardedDatabase(opened, fails_fast=False)).periodic(EVERY_OF_A_WORKER),
        Worker(
            settings, db, stop, commit_threads=commit_threads, user_threads=user_threads, refreshes=not drain
        ) as worker,
        periodic(factories.cleanup(settings, db, worker.leads_cleanup)),
    ):
        if commit_threads:
            worker.counter.warm()
        if drain:
            queues = (COMMITS,) * bool(commit_threads) + (USERS,) * bool(user_threads)
            drained = Drain(db, queues, worker.worker_id, lambda: worker.problem)
            return drained.run(worker.queues.backend, worker.queues.is_idle, stop)
        stop.wait()
    return 0
