"""What a job's error does to its repository: the decision of :mod:`podium.jobs.retry`, written down."""

from __future__ import annotations

import logging
import random

from podium.errors import PodiumError
from podium.jobs.retry import Decision, Fail, HandBack, Later, Retry, decide
from podium.storage.session import Session
from podium.telemetry.current_job import note_outcome

log = logging.getLogger(__name__)

_FAIL = """
UPDATE repository SET state = 'failed', error = :reason, error_code = :code, progress = NULL, not_before = NULL,
    client_id = NULL, updated_at = {now}
WHERE id = :id
"""

_RETRY = """
UPDATE repository SET attempts = attempts + 1, not_before = {now} + :delay, updated_at = {now} WHERE id = :id
"""

_LATER = "UPDATE repository SET not_before = {now} + :delay, updated_at = {now} WHERE id = :id"


def record(session: Session, repository_id: int, attempts: int, max_attempts: int, error: Exception) -> Decision:
    """Decide what follows from ``error`` and save it; the caller holds the repository's row."""
    if not isinstance(error, PodiumError):
        log.error("repository %d: unexpected error", repository_id, exc_info=error)
    decision = decide(error, attempts, max_attempts, random.random())  # noqa: S311 - spreads retries, no secret
    match decision:
        case Fail(code, reason):
            fail(session, repository_id, code, reason)
        case Retry(delay):
            log.warning("repository %d: %s; again in %.0f s", repository_id, error, delay)
            note_outcome("retry")
            session.run(_RETRY, id=repository_id, delay=delay)
        case Later(delay):
            log.warning("repository %d: %s; again in %.0f s", repository_id, error, delay)
            note_outcome("retry")
            session.run(_LATER, id=repository_id, delay=delay)
        case HandBack():
            note_outcome("released")
    return decision


def fail(session: Session, repository_id: int, code: str, reason: str) -> None:
    """Give a repository up, with the reason that its users read."""
    log.warning("repository %d failed: %s", repository_id, reason)
    note_outcome("failed")
    session.run(_FAIL, id=repository_id, code=code, reason=reason)


def crash_limit_exceeded(crashes: int) -> tuple[str, str]:
    """Code and reason for a repository whose workers die again and again."""
    return (
        "worker-crashed",
        f"The worker died {crashes} times over this repository without getting further: it may need more memory "
        "than there is. Look at the log, then retry.",
    )
