"""Do what hooks have asked for when it is due: count again, or ask the host. Ask for host ids of new repositories.

One process does it, the one that runs the schedule (:mod:`podium.freshness.schedule_lead`). A process that ends in the
middle of a check leaves it to the next one (:mod:`podium.repositories.store.freshness.pushes`).
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from podium.blocks import block_list
from podium.errors import PodiumError, StorageError
from podium.freshness.apply_answer import Applied
from podium.freshness.check import Identify
from podium.freshness.hooks.hook_deliveries import count_if_due
from podium.jobs.messages.queues import Queues
from podium.jobs.periodic import Periodic
from podium.repositories.model import Repository
from podium.repositories.store.freshness import pushes
from podium.storage.session import Database
from podium.telemetry.outage_log import OutageLog

log = logging.getLogger(__name__)

# Seconds between two passes while something is due, and between two looks whether anything is.
PERIOD, LOOKS_APART = 1.0, 5.0
# Counts that one pass begins, and checks at a time, of all hosts and of one: a host may take long to answer.
AT_A_TIME = 200
CHECKS_AT_ONCE, CHECKS_OF_HOST = 8, 2
# Seconds between two renewals of the claim of a check.
_RENEWED = pushes.CLAIMED / 6
# Repositories of which it is remembered how often their hosts did not answer.
_MOST_SILENCES = 10_000

# Ask the host about a repository and apply the answer; None: it did not answer.
Check = Callable[[Repository], Applied | None]
# How the host is asked for the host id of a new repository.
Way = Callable[[Repository], Identify]


class HookChecks:
    """Runs passes from :meth:`start` (or ``with``) to :meth:`stop`.

    Args:
        leads: whether this process is the one that does it. It may raise QueueError.
    """

    def __init__(
        self,
        db: Database,
        queues: Queues,
        leads: Callable[[], bool],
        check: Check,
        way: Way = lambda _: Identify.ALONE,
    ) -> None:
        self._db = db
        self._queues = queues
        self._leads = leads
        self._check = check
        self._way = way
        self._lock = threading.Lock()
        # The repositories whose hosts are asked now, with their hosts; and how often in a row a host did not answer.
        self._running: dict[int, str] = {}
        self._silences: dict[int, int] = {}
        self._threads = ThreadPoolExecutor(CHECKS_AT_ONCE, thread_name_prefix="hook-check")
        outage_log = OutageLog(log, "checks requested by webhooks wait", "checks requested by webhooks continue")
        self._next_at = float("-inf")
        self._periodic = Periodic("hook-checks", PERIOD, self._run_when_due, outage_log=outage_log)

    def run(self) -> float:
        """Make one pass. Return the seconds until the next one.

        Raises:
            StorageError, QueueError: the database or the queue did not answer.
        """
        if not self._leads():
            return 0.0
        with self._db.read() as session:
            wait = pushes.seconds_until_due(session)
        if wait is None or wait > 0:
            return LOOKS_APART if wait is None else min(LOOKS_APART, wait)
        with self._db.read() as session:
            counts = pushes.due_counts(session, limit=AT_A_TIME)
            # Those of a host that are being asked about may be due again: a hook came meanwhile.
            checks = pushes.due_checks(session, limit=AT_A_TIME, per_host=2 * CHECKS_OF_HOST)
        for number in counts:
            count_if_due(self._db, self._queues, number)
        for repository in self._without_new(checks):
            self._begin(repository)
        return 0.0

    def _without_new(self, due: Sequence[Repository]) -> list[Repository]:
        """Leave new repositories to the schedule that need no question of their own; return the others."""
        ways = {row.host: self._way(row) for row in due if pushes.is_unidentified(row)}
        left = {host: way for host, way in ways.items() if way is not Identify.ALONE}
        for host, way in left.items():
            with self._db.write() as session:
                pushes.end_identifications(session, host, is_scheduled=way is Identify.TOGETHER)
        return [row for row in due if row.host not in left or not pushes.is_unidentified(row)]

    def _run_when_due(self) -> None:
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + self.run()

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

    def _begin(self, repository: Repository) -> None:
        if repository.hook_due_at is None or not self._reserve(repository):
            return
        claimed = None
        try:
            with self._db.write() as session:
                claimed = pushes.claim(session, repository.id, repository.hook_due_at)
            if claimed is not None:
                done = self._threads.submit(self._run_check, repository, claimed)
                done.add_done_callback(functools.partial(self._end, repository.id))
        except BaseException:
            claimed = None
            raise
        finally:
            if claimed is None:
                self._running.pop(repository.id, None)

    def _reserve(self, repository: Repository) -> bool:
        with self._lock:
            hosts = list(self._running.values())
            is_free = len(hosts) < CHECKS_AT_ONCE and hosts.count(repository.host) < CHECKS_OF_HOST
            if not is_free or repository.id in self._running:
                return False
            self._running[repository.id] = repository.host
            return True

    def _run_check(self, repository: Repository, claimed: float) -> None:
        claim = _Claim(self._db, repository.id, claimed)
        try:
            with Periodic(f"hook-check-{repository.id}", _RENEWED, claim.renew):
                with self._db.read() as session:
                    is_blocked = bool(block_list.blocked_among(session, [repository.key]))
                applied = Applied(repository.id) if is_blocked else self._check(repository)
        except PodiumError as error:
            log.warning("repository %d: the check requested by a webhook was not made: %s", repository.id, error)
            applied = None
        again_in = self._note(repository.id, answered=applied is not None)
        with self._db.write() as session:
            # A row that was joined to another one is not there any more, and the answer was applied to that one.
            pushes.end_claim(
                session,
                repository.id,
                claim.until,
                answered=applied is not None,
                counts=applied is not None and applied.counts,
                again_in=again_in,
            )

    def _note(self, repository_id: int, *, answered: bool) -> float:
        """Seconds until the host is asked again if it did not answer."""
        with self._lock:
            times = self._silences.pop(repository_id, 0)
            if not answered and len(self._silences) < _MOST_SILENCES:
                self._silences[repository_id] = times + 1
        return min(pushes.LONGEST_AGAIN, pushes.AGAIN * 2.0 ** min(times, 10))

    def _end(self, repository_id: int, done: Future[None]) -> None:
        self._running.pop(repository_id, None)
        error = None if done.cancelled() else done.exception()
        if isinstance(error, StorageError):
            log.warning("the check requested by a webhook is repeated: %s", error.message)
        elif error is not None:
            log.error("the check requested by a webhook failed", exc_info=error)


class _Claim:
    """A check in progress. Where a hook has come meanwhile, it is not renewed any more."""

    def __init__(self, db: Database, repository_id: int, until: float) -> None:
        self._db = db
        self._id = repository_id
        self.until = until

    def renew(self) -> None:
        with self._db.write() as session:
            self.until = pushes.claim(session, self._id, self.until) or self.until
