"""Counts behind the alarms: what fails, waits, is hidden or stands still."""

from __future__ import annotations

from podium.repositories.store.queries import NOT_HELD
from podium.storage.session import Session

_FAILED = """
SELECT coalesce(error_code, 'unknown'), count(*) FROM repository WHERE state = 'failed' AND host <> '' GROUP BY 1
"""

_WAITING = "SELECT waiting_code, count(*) FROM repository WHERE waiting_code IS NOT NULL GROUP BY waiting_code"

_HIDDEN = "SELECT count(*) FROM repository WHERE host <> '' AND parent_key IS NULL AND hidden_at IS NOT NULL"

# Those that wait for a time, a host or a limit have gauges of their own.
_BACKLOG = f"""
SELECT CASE WHEN state = 'users_processing' THEN 'users' ELSE 'commits' END, {{now}} - min(updated_at) FROM repository
WHERE state IN ('pending', 'commits_processing', 'users_processing') AND host <> '' AND waiting_code IS NULL
    AND {NOT_HELD} AND (not_before IS NULL OR not_before <= {{now}})
GROUP BY 1
"""


def failed(session: Session) -> dict[str, int]:
    """Count failed repositories by error code."""
    return dict(session.tuples(_FAILED))


def waiting(session: Session) -> dict[str, int]:
    """Count repositories that wait by the code of the reason."""
    return dict(session.tuples(_WAITING))


def hidden(session: Session) -> int:
    """Count repositories that their host no longer shows."""
    number: int = session.value(_HIDDEN)
    return number


def backlog(session: Session) -> dict[str, float]:
    """Return, by stage, the seconds since the last progress of the repository that could be worked on for longest."""
    return {stage: max(0.0, seconds) for stage, seconds in session.tuples(_BACKLOG)}
