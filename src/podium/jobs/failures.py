"""Applies the decision of :mod:`podium.jobs.retry`. The caller's transaction has locked the repository's row."""

from __future__ import annotations

import logging
import random

from podium.errors import PodiumError
from podium.jobs import retry
from podium.jobs.retry import AskAgain, Decision, Fail, Postpone, Release, Retry, Tries, WaitForHost
from podium.repositories.model import Repository, WaitingCode
from podium.repositories.store import gone, transitions
from podium.repositories.store.queue import host_outages, pauses
from podium.storage.session import Session
from podium.telemetry.current_job import note_outcome
from podium.textutil.mask import without_folders
from podium.textutil.plural import plural

log = logging.getLogger(__name__)


def apply(
    session: Session, repository: Repository, max_attempts: int, error: Exception, *, patient: bool = True
) -> Decision:
    """``patient``: see :func:`podium.jobs.retry.decide`."""
    if not isinstance(error, PodiumError):
        log.error("repository %d: unexpected error", repository.id, exc_info=error)
    jitter = random.random()  # noqa: S311 - spreads retries, no secret
    tries = Tries(repository.attempts, repository.transient_attempts, repository.has_board)
    decision = retry.decide(error, tries, max_attempts, jitter, patient=patient)
    if patient and repository.host and retry.shows_that_host_is_up(error):
        note_answer(session, repository, is_readable=retry.shows_that_it_can_be_read(error))
    match decision:
        case Fail(code, reason):
            fail(session, repository, code, reason)
        case Retry(delay):
            log.warning("repository %d: %s; next try in %.0f s", repository.id, error, delay)
            note_outcome("retry")
            transitions.retry_later(session, repository, delay=delay)
        case WaitForHost():
            log.warning("repository %d: %s", repository.id, error)
            note_outcome("retry")
            _wait_for_host(session, repository, decision, jitter)
        case AskAgain(code, reason):
            note_outcome("retry")
            _ask_again(session, repository, code, reason, jitter)
        case Postpone(delay):
            log.warning("repository %d: %s; next try in %.0f s", repository.id, error, delay)
            note_outcome("retry")
            transitions.postpone(session, repository, delay=delay)
        case Release():
            note_outcome("released")
    return decision


def note_answer(session: Session, repository: Repository, *, is_readable: bool) -> None:
    """Note that the host of a repository has answered, and whether the repository can be read."""
    # Rows of repositories are locked before that of their host.
    if is_readable:
        gone.end(session, repository)
    resumed = host_outages.end_outage(session, repository.host)
    if resumed:
        log.warning(
            "%s answers again; waiting for it: %s", repository.host, plural(resumed, "repository", "repositories")
        )


def is_answer_news(session: Session, repository: Repository) -> bool:
    """Whether :func:`note_answer` would change anything."""
    return host_outages.is_noted(session, repository.host) or gone.is_noted(session, repository)


def must_wait(session: Session, repository: Repository) -> bool:
    """Let a repository wait if it is paused, or if its host is down and another repository of the host is tried.

    Returns:
        Whether it waits.
    """
    if pauses.hold_back(session, repository):
        note_outcome("paused")
        return True
    reason = host_outages.why_down(session, repository.host, repository.id)
    if reason is not None:
        host_outages.park(session, repository.id, reason=reason)
        note_outcome("retry")
    return reason is not None


def _wait_for_host(session: Session, repository: Repository, decision: WaitForHost, jitter: float) -> None:
    host, reason = repository.host, retry.host_reason(repository.host, decision.code)
    noted = host_outages.note_fault(session, host, repository.id, message=reason, counts_again=decision.no_connection)
    if noted.down_for is None:
        most = retry.REFUSED_CONNECTIONS if decision.no_connection else retry.FAILED_REPOSITORIES
        if noted.failures < most:
            transitions.count_host_fault(session, repository)
            host_outages.wait(
                *(session, repository.id, repository.lease_token),
                code=WaitingCode.OWN_TRY,
                delay=decision.delay,
                reason=reason,
            )
            return
        log.warning("%s is down: its repositories wait", host)
        host_outages.begin_outage(session, host, reason=reason, delay=retry.probe_delay(0.0, jitter))
    elif noted.is_probe:
        if noted.down_for > (retry.DOWN_AT_MOST if noted.was_ever_up else retry.NEVER_UP_AT_MOST):
            log.warning("%s is given up after %.0f hours", host, noted.down_for / 3600)
            given_up = reason.partition(":")[0] + f" for {noted.down_for / 3600:.0f} hours: check the address."
            host_outages.park(session, repository.id, reason=reason)
            host_outages.give_up(session, host, given_up, also=repository.id)
            return
        host_outages.continue_outage(session, host, delay=retry.probe_delay(noted.down_for, jitter))
    host_outages.park(session, repository.id, reason=reason)


def _ask_again(session: Session, repository: Repository, code: str, reason: str, jitter: float) -> None:
    found = gone.note(session, repository, code=code, after=retry.GONE_AFTER)
    if found.hides:
        log.warning("repository %d is hidden: its host says that it is private or does not exist", repository.id)
    delay = retry.gone_delay(found.seconds, jitter)
    host_outages.wait(session, repository.id, repository.lease_token, code=code, delay=delay, reason=reason)


def fail(session: Session, repository: Repository, code: str, reason: str) -> None:
    """Fail a repository; a board whose refresh failed stays as it was, with the reason beside it.

    If the host has shown that there is nothing to count, and a client asked, a repository with a board fails too.

    The log has the whole reason. Clients read the saved one, which names no folder of this machine.
    """
    note_outcome("failed")
    shown = without_folders(reason) if repository.host else reason
    is_unasked = repository.is_recount or repository.is_scheduled
    keeps_board = is_unasked or (repository.host and code not in retry.READABLE)
    if (
        keeps_board
        and repository.state.stage == "commits"
        and transitions.keep_board(session, repository, reason=shown)
    ):
        log.warning("repository %d keeps its board, its refresh failed: %s", repository.id, reason)
        return
    log.warning("repository %d failed: %s", repository.id, reason)
    transitions.fail(session, repository, code=code, reason=shown)


def fail_crashed(session: Session, repository: Repository, crashes: int) -> None:
    fail(
        session,
        repository,
        "worker-crashed",
        f"The worker crashed {plural(crashes, 'time')} over this repository without making "
        "progress: it may need more memory than there is. Look at the log, then retry.",
    )
