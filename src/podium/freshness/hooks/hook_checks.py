"""Do what hooks have asked for when it is due: count again, or ask the host.

One process does it, the one that runs the schedule (:mod:`podium.freshness.schedule_lead`). A process that ends in the
middle of a check leaves it to the next one (:mod:`podium.repositories.store.freshness.pushes`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from podium.blocks import block_list
from podium.errors import PodiumError, StorageError
from podium.freshness.apply_answer import Applied
from podium.freshness.hooks.hook_deliveries import count_if_due
from podium.jobs.messages.queues import Queues
from podium.jobs.periodic import Periodic
from podium.repositories.model import Repository
from podium.repositories.store.freshness import pushes
from podium.repositories.store.freshness.pushes import Moment
from podium.storage.session import Database
from podium.telemetry.outage_log import OutageLog

log = logging.getLogger(__name__)

# Seconds between two passes.
PERIOD = 1.0
# Repositories of one pass, and checks at a time: a host may take long to answer.
AT_A_TIME = 200
CHECKS_AT_ONCE = 4

# Ask the host about a repository and apply the answer; None: it did not answer.
Check = Callable[[Repository], Applied | None]


class HookChecks:
    """Runs passes from :meth:`start` (or ``with``) to :meth:`stop`.

    Args:
        leads: whether this process is the one that does it. It may raise QueueError.
    """

    def __init__(self, db: Database, queues: Queues, leads: Callable[[], bool], check: Check) -> None:
        self._db = db
        self._queues = queues
        self._leads = leads
        self._check = check
        self._free = threading.BoundedSemaphore(CHECKS_AT_ONCE)
        self._threads = ThreadPoolExecutor(CHECKS_AT_ONCE, thread_name_prefix="hook-check")
        outage_log = OutageLog(log, "checks requested by webhooks wait", "checks requested by webhooks continue")
        self._periodic = Periodic("hook-checks", PERIOD, self.run, outage_log=outage_log)

    def run(self) -> None:
        """Make one pass.

        Raises:
            StorageError, QueueError: the database or the queue did not answer.
        """
        if not self._leads():
            return
        with self._db.read() as session:
            due = pushes.due(session, limit=AT_A_TIME)
        for moment in due:
            if moment.wants_check:
                self._begin(moment)
            else:
                count_if_due(self._db, self._queues, moment.repository.id)

    def start(self) -> None:
        self._periodic.start()

    def stop(self, *, wait: bool = False) -> None:
        """End the passes. Checks that run are left to their end, or to another process; ``wait`` waits for them."""
        self._periodic.stop()
        self._threads.shutdown(wait=wait, cancel_futures=not wait)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _begin(self, moment: Moment) -> None:
        repository = moment.repository
        if repository.hook_due_at is None or not self._free.acquire(blocking=False):
            return
        try:
            with self._db.write() as session:
                claimed = pushes.claim(session, repository.id, repository.hook_due_at)
            if claimed is not None:
                self._threads.submit(self._run_check, repository, claimed).add_done_callback(self._end)
        except BaseException:
            self._free.release()
            raise
        if claimed is None:
            self._free.release()

    def _run_check(self, repository: Repository, claimed: float) -> None:
        try:
            with self._db.read() as session:
                is_blocked = bool(block_list.blocked_among(session, [repository.key]))
            applied = Applied(repository.id) if is_blocked else self._check(repository)
        except PodiumError as error:
            log.warning("repository %d: the check requested by a webhook was not made: %s", repository.id, error)
            applied = None
        with self._db.write() as session:
            # A row that was joined to another one is not there any more, and the answer was applied to that one.
            pushes.end_claim(
                session,
                repository.id,
                claimed,
                answered=applied is not None,
                counts=applied is not None and applied.counts,
            )

    def _end(self, done: Future[None]) -> None:
        self._free.release()
        error = None if done.cancelled() else done.exception()
        if isinstance(error, StorageError):
            log.warning("the check requested by a webhook is repeated: %s", error.message)
        elif error is not None:
            log.error("the check requested by a webhook failed", exc_info=error)
