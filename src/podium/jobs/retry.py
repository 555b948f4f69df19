"""The retry rule: what happens to a repository whose job raised an error. No I/O."""

from __future__ import annotations

import dataclasses

from podium.errors import HistoryError, Interrupted, LeaseLost, PodiumError, QueueError, StorageError

FIRST_DELAY = 2.0
LONGEST_DELAY = 300.0
LATER = 5.0


@dataclasses.dataclass(frozen=True, slots=True)
class Retry:
    """Try again after ``delay`` seconds, and count an attempt."""

    delay: float


@dataclasses.dataclass(frozen=True, slots=True)
class Postpone:
    """Try again after ``delay`` seconds without counting an attempt: the repository did not cause the error."""

    delay: float


@dataclasses.dataclass(frozen=True, slots=True)
class Release:
    """Leave the repository to the next worker."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fail:
    """Give up until a user or operator retries."""

    code: str
    reason: str


Decision = Retry | Postpone | Release | Fail


def decide(error: Exception, attempts: int, max_attempts: int, jitter: float) -> Decision:
    """Decide what to do after ``error``.

    ``attempts``: earlier errors since the last progress. ``jitter``: from 0 to 1; spreads retries.
    """
    if isinstance(error, Interrupted | LeaseLost):
        return Release()
    if isinstance(error, StorageError | QueueError):
        return Postpone(LATER * (1 + jitter))
    if isinstance(error, HistoryError) and not error.transient:
        return Fail(error.code, error.message)
    if attempts + 1 >= max_attempts:
        if isinstance(error, PodiumError):
            return Fail(error.code, error.message)
        return Fail(
            "internal",
            f"An unexpected error ({type(error).__name__}) stopped the work: see the log, then retry.",
        )
    return Retry(min(LONGEST_DELAY, FIRST_DELAY * 2**attempts * (1 + jitter)))
