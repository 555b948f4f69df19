"""The commit job: lease, history, count, and all of it saved in one transaction with the change of state."""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
import time
from collections.abc import Callable, Collection
from typing import Any

from podium.clones.source import History, Report, Source
from podium.counting.mailmap_changes import identities_for
from podium.counting.save import ClassifiedEmails, save_count
from podium.errors import HistoryError, LeaseLost
from podium.history.gc_pause import gc_paused
from podium.history.totals import COUNTING_VERSION
from podium.jobs import batches, failures, lease
from podium.jobs.rate import RateEstimator
from podium.storage.retry_transaction import retry_transaction
from podium.storage.session import Database, Row
from podium.telemetry import metrics
from podium.telemetry.current_job import note_outcome

log = logging.getLogger(__name__)
# What whoever asked for the count should know of it, besides the board.
notes = logging.getLogger("podium.notes")

# Seconds between two notes of progress in the database.
NOTE_EVERY = 0.5


@dataclasses.dataclass(frozen=True, slots=True)
class CommitJob:
    """Counts repositories. Safe to run twice, late, or in several processes at once.

    ``classify_emails`` says what is known of the e-mails of a repository at a host; the composition root hands it in.
    """

    db: Database
    source: Source
    classify_emails: Callable[[str, Collection[str]], ClassifiedEmails]
    lease_seconds: float
    max_crashes: int
    max_attempts: int

    def run(self, repository_id: int, stop: threading.Event, report: Report | None = None) -> Exception | None:
        """Count one repository, unless somebody else does or it does not need it.

        Args:
            repository_id: which.
            stop: set by the caller to have the work handed back.
            report: also told how far the work is, besides the database.

        Returns:
            The error that ended the work, already recorded in the repository's row; None where there was none.

        Raises:
            StorageError: the database did not answer; the lease runs out by itself.
        """
        row = lease.grab(self.db, repository_id, seconds=self.lease_seconds)
        return None if row is None else self.run_held(row, stop, report)

    def run_held(self, row: Row, stop: threading.Event, report: Report | None = None) -> Exception | None:
        """The same for a repository whose lease was taken already, with ``row`` as it was then."""
        with lease.hold(self.db, row, seconds=self.lease_seconds) as held:
            try:
                self._count(held, _EitherStop(stop, held.lost), report)
            except Exception as error:  # noqa: BLE001 - whatever stops a job becomes the repository's state, and is logged
                return self._settle(held, error)
        return None

    def _count(self, held: lease.Lease, stop: threading.Event, report: Report | None) -> None:
        row = held.row
        with held.fence() as session:
            if row["state"] not in ("pending", "commits_processing"):
                return
            if row["crashes"] >= self.max_crashes:
                failures.fail(session, row["id"], *failures.crash_limit_exceeded(row["crashes"]))
                return
            session.run(
                """UPDATE repository SET state = 'commits_processing', last_attempt = {now}, updated_at = {now}
                WHERE id = :id""",
                id=row["id"],
            )
        note = _Progress(self.db, row, report)
        try:
            self._count_and_save(held, stop, note)
        except HistoryError as error:
            if error.code != "corrupt":
                raise
            log.warning("repository %d: its mirror is damaged (%s); cloning it anew", row["id"], error)
            self._count_and_save(held, stop, note)

    def _count_and_save(self, held: lease.Lease, stop: threading.Event, report: Report) -> None:
        row = held.row
        with self.source.open(row, report, stop) as history, gc_paused():
            try:
                since = self._start(row, history)
                started = time.monotonic()
                tally = history.count(since, (row["total_commits"] or 0) if since else 0)
                took = time.monotonic() - started
            except HistoryError as error:
                if error.code == "too-large":
                    history.discard()
                if error.code == "corrupt" and not history.discard():
                    # Somebody's own repository: reading it again gives the same.
                    raise HistoryError("damaged", error.message) from error
                raise
            identities = identities_for(self.db, row, since, history, tally.people())
            if history.note:
                notes.warning("%s", history.note)
            report("saving", tally.total_commits)
            people = self.classify_emails(row["host"], {email for _, email in tally.people()})

            def save() -> None:
                with held.fence() as session:
                    save_count(
                        session,
                        row,
                        since=since,
                        head=history.head,
                        branch=history.branch,
                        mailmap=history.mailmap,
                        tally=tally,
                        identities=identities,
                        people=people,
                    )
                    batches.assign(session, row["id"])

            # What took an hour to count is not given up for a database that is started anew. Where the first try was
            # saved after all, the second finds another head and saves nothing.
            retry_transaction(save, stop)
        metrics.add(metrics.COMMITS, tally.total_commits)
        metrics.add(metrics.COUNT_SECONDS, took)

    @staticmethod
    def _start(row: Row, history: History) -> str | None:
        """The head to count on from; None where all of history must be counted."""
        counted: str | None = row["head"]
        if counted is None or row["counting_version"] != COUNTING_VERSION or not history.contains(counted):
            return None
        return counted

    def _settle(self, held: lease.Lease, error: Exception) -> Exception | None:
        try:
            with held.fence() as session:
                failures.record(session, held.row["id"], held.row["attempts"], self.max_attempts, error)
        except LeaseLost as lost:
            log.info("repository %d: %s", held.row["id"], lost)
            note_outcome("lease_lost")
            return lost
        return error


class _EitherStop(threading.Event):
    """Set when either of two events is: the caller's, or the loss of the lease."""

    def __init__(self, first: threading.Event, second: threading.Event) -> None:
        super().__init__()
        self._both = (first, second)

    def is_set(self) -> bool:
        return any(event.is_set() for event in self._both)


class _Progress:
    """Notes how far a repository is, at most twice a second, for everybody who asks the database."""

    def __init__(
        self, db: Database, row: Row, also: Report | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._db = db
        self._row = row
        self._also = also
        self._clock = clock
        self._next = 0.0
        self._phase = ""
        self._counted: int | None = None
        # How fast commits are counted, and how fast the phase goes.
        self._rate, self._progress_rate = RateEstimator(), RateEstimator()

    def __call__(self, phase: str, number: int, total: int | None = None, /) -> None:
        if self._also is not None:
            self._also(phase, number, total)
        if phase == "arrived":
            self._counted = number
            return
        now = self._clock()
        if now < self._next and phase == self._phase:
            return
        self._next, self._phase = now + NOTE_EVERY, phase
        lease.save_progress(self._db, self._row, json.dumps(self._told(phase, number, total, now)))

    def _told(self, phase: str, number: int, total: int | None, now: float) -> dict[str, Any]:
        told: dict[str, Any] = {"stage": "commits", "phase": phase}
        if phase in ("counting", "saving"):
            told["commits"] = number
        else:
            told["percent"] = number
            if self._counted is not None:
                told["commits"] = self._counted
        if total is not None:
            told["total"] = max(total, number)
        if "commits" in told:
            self._rate.note(now, {"stage": "commits", "commits": told["commits"]})
        self._progress_rate.note(now, told)
        rate, left = self._rate.rate(), self._progress_rate.seconds_left(told, self._row["total_commits"])
        if rate is not None and phase != "saving":
            told["commitsPerSecond"] = round(rate)
        if left is not None:
            told["secondsLeft"] = round(left)
        return told
