"""Applies the decision of :mod:`podium.jobs.retry`. The caller's transaction has locked the repository's row."""

from __future__ import annotations

import logging
import random

from podium.errors import PodiumError
from podium.jobs.retry import Decision, Fail, Postpone, Release, Retry, decide
from podium.repositories.model import Repository
from podium.repositories.store import transitions
from podium.storage.session import Session
from podium.telemetry.current_job import note_outcome
from podium.textutil.mask import without_folders

log = logging.getLogger(__name__)


def apply(session: Session, repository: Repository, max_attempts: int, error: Exception) -> Decision:
    if not isinstance(error, PodiumError):
        log.error("repository %d: unexpected error", repository.id, exc_info=error)
    jitter = random.random()  # noqa: S311 - spreads retries, no secret
    decision = decide(error, repository.attempts, max_attempts, jitter)
    match decision:
        case Fail(code, reason):
            fail(session, repository, code, reason)
        case Retry(delay):
            log.warning("repository %d: %s; next try in %.0f s", repository.id, error, delay)
            note_outcome("retry")
            transitions.retry_later(session, repository, delay=delay)
        case Postpone(delay):
            log.warning("repository %d: %s; next try in %.0f s", repository.id, error, delay)
            note_outcome("retry")
            transitions.postpone(session, repository, delay=delay)
        case Release():
            note_outcome("released")
    return decision


def fail(session: Session, repository: Repository, code: str, reason: str) -> None:
    """Fail a repository. A board stays as it was if its refresh is too large, or if no client asked for one.

    The log has the whole reason. Clients read the saved one, which names no folder of this machine.
    """
    note_outcome("failed")
    shown = without_folders(reason) if repository.host else reason
    if (code == "too-large" or repository.is_recount) and transitions.keep_board(session, repository, reason=shown):
        log.warning("repository %d keeps its board, its refresh failed: %s", repository.id, reason)
        return
    log.warning("repository %d failed: %s", repository.id, reason)
    transitions.fail(session, repository, code=code, reason=shown)


def fail_crashed(session: Session, repository: Repository, crashes: int) -> None:
    fail(
        session,
        repository,
        "worker-crashed",
        f"The worker crashed {crashes} {'time' if crashes == 1 else 'times'} over this repository without making "
        "progress: it may need more memory than there is. Look at the log, then retry.",
    )
