"""Claim a batch of e-mails, look them up, link them. The last batch completes the repository."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import logging
import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from podium.accounts.links import Move, finish_known, save_answers, save_unanswered
from podium.accounts.lookup import GitHubAccount, Lookup, LookupStep, PendingEmail
from podium.accounts.stale import MaxAges
from podium.accounts.sums import changed_sums, moved_sum_steps, sum_steps
from podium.blocks import forgotten_people
from podium.blocks.forgotten_people import ForgottenPeople
from podium.errors import Interrupted, LeaseLost, LookupFault, PodiumError, StorageError
from podium.jobs import batches, failures
from podium.repositories.model import Repository, State
from podium.repositories.overall_percent import NAME, look_up_percent
from podium.repositories.store import queries, transitions
from podium.repositories.store.queue import unresolved
from podium.repositories.store.queue.unresolved import WhyUnresolved
from podium.storage.session import Database, Row, Session
from podium.storage.transactions.steps import Step, run_steps
from podium.telemetry.current_job import note_outcome

log = logging.getLogger(__name__)

# The host had faults for many rounds.
AWAY = WhyUnresolved("away", delay=300.0)


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    repository: Repository
    batch: int
    token: str
    wanted: Sequence[PendingEmail]
    was_claimed: bool = True
    is_last: bool = False

    @property
    def repository_id(self) -> int:
        number: int = self.repository.id
        return number


@dataclasses.dataclass(frozen=True, slots=True)
class UserJob:
    """Looks up batches of e-mails. Safe to run twice, late, or in several processes at once.

    Args:
        max_crashes: worker crashes after which a repository fails.
        max_rounds: consecutive rounds with faults of the host after which the rest stays unresolved.
    """

    db: Database
    lookup: Lookup
    github_host: str
    ages: MaxAges
    max_crashes: int
    max_rounds: int
    _in_hand: dict[str, Claim] = dataclasses.field(default_factory=dict, init=False)

    def run(self, repository_id: int, generation: int, batch: int, stop: threading.Event) -> bool:
        """Process what is left of one batch; return whether anything was.

        A batch of an old generation, or one that waits for a limit, is skipped.

        Args:
            stop: set by the caller to have the work released.

        Raises:
            StorageError: the database did not answer; the claim expires.
        """
        claim = self._claim(repository_id, generation, batch)
        if claim is None:
            return False
        if claim.is_last:
            log.warning("repository %d: its worker crashed too often, accounts stay unresolved", repository_id)
            self.give_up(repository_id, "The worker crashed again and again while it looked the accounts up.", AWAY)
            return True
        if not claim.wanted:
            self._complete_if_done(repository_id, stop)
            return claim.was_claimed
        self._in_hand[claim.token] = claim
        try:
            with batches.renewing(self.db, repository_id, batch, claim.token):
                self._resolve(claim, stop)
        except LeaseLost:
            log.info("repository %d: batch %d was taken over by another worker", repository_id, batch)
            note_outcome("lease_lost")
            # The other worker counted a crash, but this one lives: the database was locked or away.
            with contextlib.suppress(StorageError), self.db.write() as session:
                transitions.uncount_crash(session, repository_id)
        except Exception as error:  # noqa: BLE001 - any error becomes the repository's state
            self._give_back(claim, error)
        finally:
            self._in_hand.pop(claim.token, None)
        self._complete_if_done(repository_id, stop)
        return True

    def release_claims(self) -> list[tuple[int, int, int]]:
        """Release the claimed batches, such as one whose request to GitHub takes long.

        The threads that hold them here can save nothing any more.

        Returns:
            What to enqueue: repository, generation, batch.

        Raises:
            StorageError: the database did not answer; the claims expire.
        """
        claims = tuple(self._in_hand.values())
        for claim in claims:
            with self.db.write() as session:
                if queries.lock(session, claim.repository_id) is not None:
                    batches.release(session, claim.repository_id, claim.batch, claim.token)
        return [(claim.repository_id, claim.repository.generation, claim.batch) for claim in claims]

    def give_up(self, repository_id: int, reason: str, why: WhyUnresolved) -> None:
        """Complete a repository with the accounts known so far."""
        is_more = True

        def step(session: Session) -> None:
            nonlocal is_more
            repository = queries.lock(session, repository_id)
            is_more = repository is not None and repository.state == State.USERS_PROCESSING
            if is_more:
                is_more = batches.give_up_some(session, repository_id)
                unresolved.explain(session, repository_id, reason, why)

        def steps() -> Iterator[Step]:
            while is_more:
                yield step

        # A large repository may have as many unprocessed rows as people.
        run_steps(self.db.write, steps(), threading.Event())
        self._complete_if_done(repository_id, threading.Event())

    def close(self) -> None:
        self.lookup.close()

    def _claim(self, repository_id: int, generation: int, batch: int) -> Claim | None:
        token = secrets.token_hex(16)
        with self.db.write() as session:
            repository = queries.lock(session, repository_id)
            if (
                repository is None
                or repository.state != State.USERS_PROCESSING
                or repository.generation != generation
                or _waits(session, repository)
            ):
                return None
            rows, claim_expired = batches.claim(session, repository_id, batch, token)
            if claim_expired:
                crashes = transitions.count_crash(session, repository_id)
                if crashes >= self.max_crashes and _was_complete(repository):
                    batches.release(session, repository_id, batch, token)
                    return Claim(repository, batch, token, [], is_last=True)
                if crashes >= self.max_crashes:
                    failures.fail_crashed(session, repository, crashes)
                    return None
            finish_known(session, repository_id, batch, token, github_host=self.github_host, fresh=self.ages.shortest)
            kept = batches.held(session, repository_id, batch, token)
            if not kept:
                _note_progress(session, repository, len({row["email"] for row in rows}))
                return Claim(repository, batch, token, [], was_claimed=bool(rows))
        return Claim(repository, batch, token, _wanted(row for row in rows if row["id"] in kept))

    def _resolve(self, claim: Claim, stop: threading.Event) -> None:
        left = {one.email for one in claim.wanted}
        for found in self.lookup.find(claim.repository, claim.wanted, stop):
            answered = left & (found.accounts.keys() | found.unanswered)
            moved = self._save(claim, found, answered)
            if any(account is not None for account in found.accounts.values()):
                # Its answers may show that a person of this board is a forgotten one.
                self._forget(claim.repository_id)
            left -= answered
            self._follow(moved)
            if not left or found.wait_until is not None or found.give_up is not None:
                return
        self._save(claim, LookupStep(), left)

    def _save(self, claim: Claim, found: LookupStep, done: Iterable[str]) -> list[Move]:
        emails = set(done)
        number = claim.repository_id
        with self.db.write() as session:
            repository = queries.lock(session, number)
            if repository is None or not batches.holds(session, number, claim.batch, claim.token):
                raise LeaseLost("Another worker has taken this batch over.")
            forgotten = forgotten_people.load(session, self.github_host)
            accounts = self._without_forgotten(session, forgotten, found)
            moved = save_answers(session, accounts, self.github_host)
            save_unanswered(session, found.unanswered, self.github_host)
            batches.finish_some(session, number, claim.batch, claim.token, emails)
            progress = _note_progress(session, repository, len(emails))
            if found.skipped_reason is not None:
                unresolved.explain(session, number, found.skipped_reason, found.unresolved)
            if found.wait_until is not None:
                batches.release(session, number, claim.batch, claim.token)
                _wait(session, number, progress, found.wait_until)
                note_outcome("waiting")
            if found.give_up is not None:
                batches.finish(session, number, claim.batch, claim.token)
                unresolved.explain(session, number, found.give_up, found.unresolved)
                log.warning("repository %d: accounts stay unresolved: %s", number, found.give_up)
        if found.give_up is not None:
            self.give_up(number, found.give_up, found.unresolved)
        return moved

    def _forget(self, repository_id: int) -> None:
        with self.db.read() as session:
            is_due = forgotten_people.swept_to(session) is not None
        if is_due:
            # Rarely, and its import takes as long as a dozen queries.
            from podium.forgetting.forget_person import forget_in

            forget_in(self.db, repository_id, self.github_host)

    def _without_forgotten(
        self, session: Session, forgotten: ForgottenPeople, found: LookupStep
    ) -> dict[str, GitHubAccount | None]:
        """The answers without those about forgotten people, whose further e-mails and accounts are forgotten too."""
        if not forgotten:
            return dict(found.accounts)
        answers: dict[str, GitHubAccount | None] = {}
        for email, account in found.accounts.items():
            person = forgotten.of_email(email)
            if account is not None:
                person = forgotten.of_account(account.account_id, account.login) or person
            if person is None:
                answers[email] = account
                continue
            values = {forgotten.email_hash(email)}
            values |= {forgotten.account_hash(account.account_id)} if account is not None else set()
            if not values <= forgotten.hashes.keys():
                forgotten_people.add(session, person, values)
        return answers

    def _follow(self, moved: Sequence[Move]) -> None:
        if not moved:
            return
        with self.db.read() as session:
            steps = moved_sum_steps(session, moved)
        run_steps(self.db.write, steps, threading.Event())

    def _complete_if_done(self, repository_id: int, stop: threading.Event) -> None:
        """Write the sums, then complete the repository. Where this is interrupted, the reconciler enqueues it again."""
        with self.db.read() as session:
            repository = queries.by_id(session, repository_id)
            if (
                repository is None
                or repository.state != State.USERS_PROCESSING
                or batches.is_any_left(session, repository_id)
            ):
                return
            contributors = changed_sums(session, repository_id, self.github_host)
        with contextlib.suppress(Interrupted):
            run_steps(self.db.write, sum_steps(repository_id, contributors), stop)
            with self.db.write() as session:
                now = queries.lock(session, repository_id)
                is_same = now is not None and now.generation == repository.generation
                if is_same:
                    transitions.complete(session, repository_id)
            if now is not None and not is_same:
                # It was counted again meanwhile: the sums are those of before.
                self._complete_if_done(repository_id, stop)

    def _give_back(self, claim: Claim, error: Exception) -> None:
        number = claim.repository_id
        with self.db.write() as session:
            repository = queries.lock(session, number)
            if repository is None or repository.state != State.USERS_PROCESSING:
                return
            batches.release(session, number, claim.batch, claim.token)
            if _waits(session, repository):
                return
            is_unexpected = not isinstance(error, PodiumError)
            ends = isinstance(error, LookupFault) or (is_unexpected and _was_complete(repository))
            is_last = ends and repository.attempts + 1 >= self.max_rounds
            if not is_last:
                failures.apply(session, repository, self.max_rounds, error)
        if is_last:
            seen = error if is_unexpected else None
            log.warning("repository %d: accounts stay unresolved: %s", number, error, exc_info=seen)
            self.give_up(number, f"An unexpected error: {type(error).__name__}." if is_unexpected else str(error), AWAY)


def _was_complete(repository: Repository) -> bool:
    """Whether it has a board that a refresh must not fail."""
    return repository.last_processed_at is not None


def _waits(session: Session, repository: Repository) -> bool:
    before = repository.not_before
    return before is not None and bool(session.value("SELECT {now} < :before", before=before))


def _wanted(rows: Iterable[Row]) -> list[PendingEmail]:
    """Merge the rows of each e-mail; sort by commits, then newest first.

    A window of a hundred commits from a new one answers for most of the others.
    """
    by_email: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (-(row["sample_at"] or 0), row["email"])):
        by_email.setdefault(row["email"], []).append(row)
    wanted = []
    for email, of_email in by_email.items():
        of_email.sort(key=lambda row: (row["sample_co_authors"], row["sample_sha"]))
        shas = [row[column] for column in ("sample_sha", "other_sha") for row in of_email if row[column]]
        wanted.append(PendingEmail(email, tuple(dict.fromkeys(shas)), sum(row["authored"] for row in of_email)))
    return sorted(wanted, key=lambda one: -one.authored)


def _wait(session: Session, repository_id: int, progress: dict[str, Any], until: float) -> None:
    # ``until`` is by this machine's clock, the rows are by the database's.
    ends = datetime.datetime.fromtimestamp(until, tz=datetime.UTC)
    progress = {"stage": "users", **progress, "waitingUntil": ends.strftime("%Y-%m-%dT%H:%M:%SZ")}
    delay = max(0.0, until - time.time())
    transitions.wait_for_limit(session, repository_id, progress=json.dumps(progress), delay=delay)


def _note_progress(session: Session, repository: Repository, emails: int) -> dict[str, Any]:
    """A limit of another batch stays in force."""
    progress: dict[str, Any] = json.loads(repository.progress) if repository.progress else {}
    if not emails:
        return progress
    waits = _waits(session, repository)
    done = progress.get("done", 0) + emails
    progress |= {"stage": "users", NAME: look_up_percent(progress, done), "done": done}
    progress["waitingUntil"] = progress.get("waitingUntil") if waits else None
    transitions.note_users(session, repository.id, progress=json.dumps(progress), keep_waiting=waits)
    return progress
