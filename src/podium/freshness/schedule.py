"""The schedule: asks the hosts of boards whose checks are due (:mod:`podium.repositories.store.freshness.due_checks`).

One process does so (:mod:`podium.freshness.schedule_lead`). A pass without anything due is one look at two indexes. At
GitHub a hundred repositories are asked for with one point; elsewhere, and where no token serves, one at a time, as
slowly as ``PODIUM_REFRESH_PER_HOST`` says. What is asked for is claimed in the database: a pass that dies half-way is
repeated some minutes later. Two passes at once may ask twice, which does no harm.
"""

from __future__ import annotations

import functools
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from podium.accounts.github.github_session import LimitInForceError, NoTokenLeftError
from podium.blocks import block_list
from podium.errors import Interrupted, LookupFault, PodiumError
from podium.freshness.apply_answer import Applied, apply, is_news
from podium.freshness.check import LATER, Hosts, NoAnswer, check
from podium.freshness.github_heads import GitHubHeads
from podium.freshness.host_answer import HostAnswer
from podium.freshness.host_pace import HostPace
from podium.jobs.messages.queues import Queues
from podium.jobs.periodic import Periodic
from podium.repositories.model import Repository
from podium.repositories.store.freshness import due_checks, names
from podium.repositories.store.queue import due_work, host_outages, pauses
from podium.storage.session import Database
from podium.telemetry import metrics
from podium.telemetry.outage_log import OutageLog
from podium.textutil.plural import plural

log = logging.getLogger(__name__)

# Seconds between two passes.
EVERY = 6.0
# What is claimed at once, and how often in one pass.
_BATCH, _BATCHES = 100, 5
# Hosts of which repositories are checked at a time.
_HOSTS_AT_A_TIME = 4
# Seconds between two looks for what waits too long for its turn, and after which a pass is the first one again.
_SELDOM, _FIRST_AGAIN = 60.0, 600.0
# Seconds until repositories are due again whose host is down, or where GitHub gave no answer.
_DOWN_AGAIN, _FAULT_AGAIN = 900.0, 600.0
# Repositories of which it is remembered how often their hosts did not answer.
_MOST_SILENCES = 10_000
# Seconds over which what waited for a limit is spread.
_AFTER_LIMIT = 60.0
_HOST_FAULTS = ("unreachable", "host-error", "interrupted-transfer")


class Schedule:
    """Checks the boards that are due, one pass at a time, and refreshes those with news.

    Args:
        heads: asks GitHub with a token; None: there is none.
        every: seconds between two checks of a repository without an interval of its own; 0: never.
        per_hour: checks of one host where no token serves.
        leads: whether this process is the one of all that runs the schedule.
        stop: ends every wait when set.
    """

    def __init__(
        self,
        db: Database,
        queues: Queues,
        hosts: Hosts,
        heads: GitHubHeads | None,
        *,
        every: float,
        per_hour: int,
        leads: Callable[[], bool] = lambda: True,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._queues = queues
        self._hosts = hosts
        self._heads = heads
        self._every = every
        self._interval = 3600.0 / per_hour
        self._leads = leads
        self._stop = stop
        self._clock = clock
        self._paces: dict[str, HostPace] = {}
        # How often in a row hosts did not answer, by repository.
        self._silences: dict[int, int] = {}
        self._threads = ThreadPoolExecutor(_HOSTS_AT_A_TIME, "checks")
        self._last = self._seldom_at = float("-inf")

    def run(self) -> None:
        """Do one pass.

        Raises:
            StorageError, QueueError: the database or the queue did not answer.
        """
        if not self._leads():
            return
        now = self._clock()
        with self._db.read() as session:
            pending = due_checks.pending(session, every=self._every)
        if pending.is_paused:
            return
        if now - self._last > _FIRST_AGAIN:
            self._begin()
        self._last = now
        if pending.is_unscheduled:
            with self._db.write() as session:
                due_checks.enrol(session, every=self._every)
        if now >= self._seldom_at:
            self._seldom_at = now + _SELDOM
            self._give_turn()
        if pending.is_due:
            for _ in range(_BATCHES):
                if self._stop.is_set() or self._check_due() < _BATCH:
                    break

    def close(self) -> None:
        """Wait for the checks that run; ``stop`` must be set."""
        self._threads.shutdown(cancel_futures=True)

    def wait(self) -> None:
        """Wait for the checks that were begun, for tests."""
        self._threads.shutdown()
        self._threads = ThreadPoolExecutor(_HOSTS_AT_A_TIME, "checks")

    def _begin(self) -> None:
        is_more = True
        while is_more and not self._stop.is_set():
            with self._db.write() as session:
                is_more = due_checks.settle_late(session, every=self._every) > 0

    def _give_turn(self) -> None:
        with self._db.read() as session:
            number = due_work.longest_scheduled(session)
        if number is not None:
            with self._db.write() as session:
                due_work.give_turn(session, number)

    def _check_due(self) -> int:
        with self._db.write() as session:
            pauses.postpone_checks(session)
            due_checks.pass_over(session, every=self._every)
            rows = due_checks.take_due(session, limit=_BATCH)
        taken = len(rows)
        if self._heads is not None and 0 < sum(row.host == self._heads.host for row in rows) < _BATCH:
            # One request for a hundred instead of many for a few.
            with self._db.write() as session:
                rows += due_checks.take_early(
                    session,
                    self._heads.host,
                    every=self._every,
                    limit=_BATCH - sum(row.host == self._heads.host for row in rows),
                    without=[row.id for row in rows],
                )
        self._check(self._checkable(rows))
        return taken

    def _checkable(self, rows: Sequence[Repository]) -> list[Repository]:
        """Leave out what is blocked or counted at the moment, and what belongs to a host that is down."""
        if not rows:
            return []
        with self._db.read() as session:
            down = {host.host for host in host_outages.down(session, limit=1000)}
            blocked = block_list.blocked_among(session, [row.repository_key for row in rows])
        # A count asks the host, too.
        skipped = [row for row in rows if row.repository_key in blocked or row.state.stage == "commits"]
        parked = [row for row in rows if row.host in down and row not in skipped]
        if skipped:
            with self._db.write() as session:
                due_checks.skip(session, _claims(skipped), every=self._every)
        self._postpone(parked, {row.id: _DOWN_AGAIN * random.uniform(1, 2) for row in parked})  # noqa: S311 - a spread
        left_out = {row.id for row in (*skipped, *parked)}
        return [row for row in rows if row.id not in left_out]

    def _check(self, rows: Sequence[Repository]) -> None:
        one_by_one: dict[int, Repository] = {row.id: row for row in rows}
        if self._heads is not None:
            # One whose name another repository has is asked for by its number, and git shows whether one can be read.
            together = [
                row
                for row in rows
                if row.host == self._heads.host and row.name_taken_at is None and row.gone_since is None
            ]
            # Whether a former name still leads there is asked one by one.
            with self._db.read() as session:
                renamed = names.unconfirmed(session, [row.id for row in together])
            together = [row for row in together if row.id not in renamed]
            if together:
                for row in self._check_together(self._heads, together):
                    del one_by_one[row.id]
        by_host: dict[str, list[Repository]] = {}
        for row in one_by_one.values():
            by_host.setdefault(row.host, []).append(row)
        for host, its in by_host.items():
            self._check_one_by_one(host, its)

    def _check_together(self, heads: GitHubHeads, rows: Sequence[Repository]) -> Iterable[Repository]:
        """Ask GitHub for many at once; return those that need no check of their own."""
        left = {row.id: row for row in rows}
        try:
            for answers in heads.ask(rows):
                self._apply({number: (left.pop(number), answer) for number, answer in answers.items()})
        except LimitInForceError as limit:
            wait = max(1.0, limit.until - time.time())
            self._postpone(left.values(), {number: wait + _AFTER_LIMIT * random.random() for number in left})  # noqa: S311
            return rows
        except LookupFault as error:
            log.warning(
                "the heads of %s at GitHub are not known: %s",
                plural(len(left), "repository", "repositories"),
                error.message,
            )
            self._postpone(left.values(), {number: _FAULT_AGAIN * random.uniform(1, 2) for number in left})  # noqa: S311
            return rows
        except NoTokenLeftError:
            pass
        except Interrupted:
            return rows
        return [row for row in rows if row.id not in left]

    def _apply(self, answered: Mapping[int, tuple[Repository, HostAnswer]]) -> None:
        numbers = [answer.number for _, answer in answered.values() if answer.number is not None]
        with self._db.read() as session:
            host = next(row.host for row, _ in answered.values())
            others = due_checks.numbers_of_others(session, host, numbers)
        unchanged: dict[int, tuple[str | None, float]] = {}
        for number, (row, answer) in answered.items():
            is_alone = others.get(answer.number or "", {number}) == {number} and numbers.count(answer.number or "") == 1
            known = due_checks.with_number(row, answer.number) if is_alone else row
            if is_alone and not is_news(known, answer) and row.check_at is not None:
                unchanged[number] = answer.number, row.check_at
        if unchanged:
            with self._db.write() as session:
                due_checks.settle_unchanged(session, unchanged, every=self._every)
            metrics.add(metrics.CHECKS, len(unchanged), outcome="unchanged")
        for number, (row, answer) in answered.items():
            if number not in unchanged:
                with self._db.write() as session:
                    applied = apply(session, row, answer)
                self._follow(applied)

    def _follow(self, applied: Applied) -> None:
        if applied.counts:
            self._queues.enqueue_commits(applied.repository_id)
        outcome = "unchanged"
        if applied.counts:
            outcome = "new_commits"
        elif applied.hides:
            outcome = "hidden"
        elif applied.is_renamed or applied.is_joined:
            outcome = "renamed"
        elif applied.is_taken:
            outcome = "name_taken"
        metrics.add(metrics.CHECKS, outcome=outcome)

    def _check_one_by_one(self, host: str, rows: Sequence[Repository]) -> None:
        pace = self._paces.get(host)
        if pace is None:
            pace = self._paces[host] = HostPace(self._interval, self._clock)
        turn = pace.begin(rows)
        self._postpone(rows, turn.later)
        if turn.now:
            self._threads.submit(functools.partial(self._take_turn, pace, turn.now))

    def _take_turn(self, pace: HostPace, rows: Sequence[Repository]) -> None:
        left = list(rows)
        try:
            while left and pace.wait(self._stop):
                if not self._check_one(pace, left.pop(0)):
                    break
        except Interrupted:
            return
        except PodiumError as error:
            log.warning("the checks of %s wait: %s", rows[0].host, error.message)
        except Exception:
            log.exception("a check of %s failed", rows[0].host)
        finally:
            later = pace.end(left)
            if later and not self._stop.is_set():
                try:
                    self._postpone(left, later)
                except PodiumError as error:
                    log.warning("the checks of %s wait: %s", rows[0].host, error.message)

    def _check_one(self, pace: HostPace, row: Repository) -> bool:
        """Return whether the host answers."""
        times = self._silences.pop(row.id, 0)
        again_in = min(LATER * 2.0 ** min(times, 10), max(LATER, row.refresh_every or self._every or LATER))
        found = check(self._db, self._hosts, row.id, self._stop, again_in=again_in)
        if isinstance(found, Applied):
            pace.note_answer()
            self._follow(found)
            return True
        if len(self._silences) < _MOST_SILENCES:
            self._silences[row.id] = times + 1
        metrics.add(metrics.CHECKS, outcome="no_answer")
        if _is_fault(found):
            pace.note_silence()
            return False
        return True

    def _postpone(self, rows: Iterable[Repository], delays: Mapping[int, float]) -> None:
        waiting = _claims(row for row in rows if row.id in delays)
        if waiting:
            with self._db.write() as session:
                due_checks.postpone(session, waiting, delays)


def _is_fault(found: NoAnswer) -> bool:
    return found.code in _HOST_FAULTS


def _claims(rows: Iterable[Repository]) -> dict[int, float]:
    return {row.id: row.check_at for row in rows if row.check_at is not None}


def periodic(schedule: Schedule, seconds: float = EVERY) -> Periodic:
    return Periodic(
        "schedule",
        seconds,
        schedule.run,
        outage_log=OutageLog(log, "the schedule waits", "the schedule continues"),
    )
