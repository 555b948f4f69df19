"""The commit job: counts a history under the lease, and saves it."""

from __future__ import annotations

import dataclasses
import functools
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping

from podium.blocks import block_list
from podium.clones.mailmaps.mailmap import Identity, Pair
from podium.clones.source import History, Source
from podium.counting.count_budget import NO_BUDGET, Budget
from podium.counting.count_rows import has_base_people, known_pairs, number_of_people
from podium.counting.live_ranking import LiveRanking
from podium.counting.mailmap_changes import mailmap_changes
from podium.counting.progress_notes import CountProgress
from podium.counting.removed_people import RemovedPeople, forgotten_emails, has_forgotten, removed_people
from podium.counting.save import ClassifiedEmails, Count, is_small, save_count
from podium.counting.stop_signal import StopSignal
from podium.errors import BadCommitLog, Blocked, HistoryError, LeaseLost
from podium.git.progress import Progress
from podium.history.totals import MOST_ROOTS, Tally
from podium.history.walks.gc_pause import gc_paused
from podium.jobs import failures, lease, worker_fault_rules
from podium.repositories.model import COUNTING_VERSION, Repository
from podium.repositories.store import queries, transitions
from podium.repositories.store.freshness import names
from podium.repositories.store.log_check import check_log
from podium.storage.session import Database, Session
from podium.storage.transactions.retry_transaction import retry_transaction
from podium.telemetry import metrics
from podium.telemetry.current_job import note_outcome

log = logging.getLogger(__name__)
notes = logging.getLogger("podium.notes")


def _people(tally: Tally, base_tally: Tally | None) -> list[Pair]:
    people = tally.people()
    return people if base_tally is None else list(dict.fromkeys((*people, *base_tally.people())))


def _check_block(session: Session, repository: Repository) -> None:
    try:
        if repository.host:
            block_list.check_key(session, repository.repository_key)
            if repository.host_number is not None:
                block_list.check_number(session, repository.host, repository.host_number)
    except Blocked as error:
        raise HistoryError(error.code, error.message) from None


@dataclasses.dataclass(frozen=True, slots=True)
class CommitJob:
    """Counts repositories. Safe to run twice, late, or in several processes at once.

    patient: whether faults of hosts are waited for (:mod:`podium.jobs.retry`), as a server does.
    confirm: asks the host whether a board whose history has no root in common with the counted one is still of the
        same repository; raises HistoryError if not, or if the host does not say.
    """

    db: Database
    source: Source
    classify_emails: Callable[[str, Collection[str]], ClassifiedEmails]
    lease_seconds: float
    max_crashes: int
    max_attempts: int
    budget: Budget = NO_BUDGET
    # Seconds of a count before its progress is saved.
    quiet: float = 0.0
    patient: bool = True
    # The worker's id: its faults are not the repository's; '': the command line.
    worker_id: str = ""
    github_host: str = "github.com"
    confirm: Callable[[Repository, threading.Event], None] = lambda *_: None

    def run(self, repository_id: int, stop: threading.Event, report: Progress | None = None) -> Exception | None:
        """Count one repository, unless another worker does or it needs no count.

        ``stop`` interrupts the count; ``report`` also receives the progress.

        Returns:
            The error that ended the work, already saved in the repository.

        Raises:
            StorageError: the database did not answer; the lease expires automatically.
        """
        repository = lease.grab(self.db, repository_id, seconds=self.lease_seconds)
        return None if repository is None else self.run_held(repository, stop, report)

    def run_held(
        self, repository: Repository, stop: threading.Event, report: Progress | None = None
    ) -> Exception | None:
        """Like :meth:`run`, for ``repository``, on which a lease was already taken."""
        with lease.hold(self.db, repository, seconds=self.lease_seconds) as held:
            try:
                self._count(held, StopSignal(stop, held.lost), report)
            except MemoryError:
                return self._settle(held, self.budget.memory_exceeded())
            except Exception as error:  # noqa: BLE001 - whatever stops a job becomes the repository's state, and is logged
                return self._settle(held, error)
        return None

    def _count(self, held: lease.Lease, stop: threading.Event, report: Progress | None) -> None:
        repository = held.repository
        with held.fence() as session:
            if repository.state.stage != "commits":
                return
            _check_block(session, repository)
            if names.is_taken(session, repository.repository_key):
                raise HistoryError(names.TAKEN, names.WHY_TAKEN)
            if repository.crashes >= self.max_crashes:
                failures.fail_crashed(session, repository, repository.crashes)
                return
            if self._asks_host(repository) and failures.must_wait(session, repository):
                return
            is_answer_news = self._asks_host(repository) and failures.is_answer_news(session, repository)
            transitions.start_counting(session, repository)
        note_answer = functools.cache(lambda: self._note_answer(repository) if is_answer_news else None)
        progress = CountProgress(
            self.db,
            repository,
            report,
            check=self.budget.start().check,
            ranking=self._live_ranking(repository),
            look_up=self.classify_emails(repository.host, ()).can_look_up,
            quiet=self.quiet,
        )
        try:
            self._count_and_save(held, stop, progress, note_answer)
        except HistoryError as error:
            if error.code != "corrupt":
                raise
            log.warning("repository %d: its mirror is damaged (%s); cloning it again", repository.id, error)
            self._count_and_save(held, stop, progress, note_answer)

    def _asks_host(self, repository: Repository) -> bool:
        return self.patient and bool(repository.host)

    def _note_answer(self, repository: Repository) -> None:
        """The history has arrived: the host is up, and the repository can be read."""
        with self.db.write() as session:
            failures.note_answer(session, repository, is_readable=True)

    def _live_ranking(self, repository: Repository) -> LiveRanking | None:
        """None for a refresh, whose board stays readable, and for a path, which only has a terminal."""
        if repository.has_board or not repository.host:
            return None

        def forgotten(emails: Collection[str]) -> Collection[str]:
            return forgotten_emails(self.db, emails, self.github_host)

        return LiveRanking(lambda emails: self.classify_emails(repository.host, emails).humans(), forgotten=forgotten)

    def _count_and_save(
        self,
        held: lease.Lease,
        stop: threading.Event,
        progress: CountProgress,
        note_answer: Callable[[], None],
    ) -> None:
        repository = held.repository

        def on_transfer(phase: str, number: int, total: int | None = None, /) -> None:
            if phase == "receiving":
                # A large clone has only begun, and others may wait for the host.
                note_answer()
            progress(phase, number, total)

        with self.source.open(repository, on_transfer, stop, progress.note_tally) as history, gc_paused():
            note_answer()
            try:
                since = self._start(repository, history)
                started = time.monotonic()
                tally, base_tally, identities = self._read(repository, history, since)
                if since and not is_small(tally, identities):
                    since = None
                    tally, base_tally, identities = self._read(repository, history, None)
                took = time.monotonic() - started
            except HistoryError as error:
                if error.code == "corrupt" and not history.discard():
                    # A repository at a path: reading it again gives the same error.
                    raise HistoryError("damaged", error.message) from error
                raise
            if history.note:
                notes.warning("%s", history.note)
            progress("saving", tally.total_commits)
            removed = self._removed(repository, since, tally, identities, stop)
            if since and removed.has_new:
                # Earlier rows may be the same person's.
                since = None
                tally, base_tally, identities = self._read(repository, history, None)
                removed = self._removed(repository, since, tally, identities, stop)
            if since is None and self._asks_host(repository) and self._has_another_history(repository, tally):
                self.confirm(repository, stop)
            emails = {email for _, email in _people(tally, base_tally)}
            people = self.classify_emails(repository.host, emails - removed.gone_emails)

            count = Count(
                repository,
                since=since,
                head=history.head,
                head_committed_at=history.head_committed_at(),
                branch=history.branch,
                mailmap=history.mailmaps.version,
                tally=tally,
                identities=identities,
                people=people,
                base=history.base,
                base_tally=base_tally,
                clone_bytes=history.size() if repository.host else None,
                removed=removed,
            )
            save_count(self.db, held, count, stop, progress.note_saved)
        metrics.add(metrics.COMMITS, tally.total_commits)
        metrics.add(metrics.COUNT_SECONDS, took)

    def _has_another_history(self, repository: Repository, tally: Tally) -> bool:
        """Whether a repository that has a number at its host has none of the roots that its board has."""
        if not repository.has_board:
            return False
        with self.db.read() as session:
            roots = queries.roots(session, repository.id)
            number = names.number_of(session, repository.repository_key)
        return number is not None and bool(roots) and len(roots) < MOST_ROOTS and set(roots).isdisjoint(tally.roots)

    def _removed(
        self,
        repository: Repository,
        since: str | None,
        tally: Tally,
        identities: Mapping[Pair, Identity],
        stop: threading.Event,
    ) -> RemovedPeople:
        """The forgotten people of a count; asked again and again, as it is saved, where the database is away."""

        def find() -> RemovedPeople:
            return removed_people(
                self.db,
                repository.id,
                tally,
                identities,
                is_increment=since is not None,
                github_host=self.github_host,
            )

        return retry_transaction(find, stop)

    def _read(
        self, repository: Repository, history: History, since: str | None
    ) -> tuple[Tally, Tally | None, Mapping[Pair, Identity]]:
        tally = history.count(since, (repository.total_commits or 0) if since else 0)
        if since is not None:
            self._check_people(repository, history, tally)
        base_tally = history.count_base() if history.has_base_people and since is None else None
        people = _people(tally, base_tally)
        return tally, base_tally, mailmap_changes(self.db, repository, since, history, people)

    def _start(self, repository: Repository, history: History) -> str | None:
        counted = repository.head
        if counted is None or repository.counting_version != COUNTING_VERSION or not history.contains(counted):
            return None
        if repository.base != history.base:
            return None
        if repository.mailmap != history.mailmaps.version and has_forgotten(self.db, self.github_host):
            # It may name a forgotten person in earlier rows, or rows without a name.
            return None
        try:
            with self.db.read() as session:
                if history.base is not None and not self._is_same_range(session, repository, history):
                    return None
                check_log(session, repository)
        except BadCommitLog as error:
            log.warning("repository %d is counted again from the beginning: %s", repository.id, error)
            return None
        return counted

    @staticmethod
    def _is_same_range(session: Session, repository: Repository, history: History) -> bool:
        """A range whose end has moved is counted again: the new commits need not continue the log."""
        return repository.head == history.head and has_base_people(session, repository.id) == history.has_base_people

    def _check_people(self, repository: Repository, history: History, tally: Tally) -> None:
        """Raise HistoryError ('too-large') if the earlier and the new people together are too many."""
        limits = history.limits
        with self.db.read() as session:
            number = number_of_people(session, repository.id) + tally.number_of_people
            if limits.people is not None and number > limits.people:
                number = len(known_pairs(session, repository.id).keys() | set(tally.people()))
        limits.check_people(number)

    def settle_dead(self, repository: Repository, error: HistoryError) -> None:
        """Save ``error`` for a dead process, whose lease ``repository`` still shows, and release the lease.

        Raises:
            StorageError: the database did not answer.
        """
        with lease.hold(self.db, repository, seconds=self.lease_seconds) as held:
            self._settle(held, error)

    def _settle(self, held: lease.Lease, error: Exception) -> Exception | None:
        if isinstance(error, HistoryError) and error.code == "too-large":
            self.source.discard(held.repository)
        try:
            with held.fence(with_family=self._asks_host(held.repository)) as session:
                if self.worker_id and worker_fault_rules.hand_over(session, held.repository, self.worker_id, error):
                    return error
                failures.apply(
                    session, held.repository, self.max_attempts, error, patient=self._asks_host(held.repository)
                )
        except LeaseLost as lost:
            log.info("repository %d: %s", held.repository.id, lost)
            note_outcome("lease_lost")
            return lost
        return error
