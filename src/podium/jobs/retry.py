"""The rule for retries: what becomes of a repository whose job raised an error. A pure decision, as a value."""

from __future__ import annotations

import dataclasses

from podium.errors import HistoryError, Interrupted, LeaseLost, PodiumError, QueueError, StorageError

FIRST_DELAY = 2.0
LONGEST_DELAY = 300.0
# After a fault of the database or the queue; there may be many in a row.
LATER = 5.0


@dataclasses.dataclass(frozen=True, slots=True)
class Retry:
    """Try again after ``delay`` seconds; counts as one of the attempts."""

    delay: float


@dataclasses.dataclass(frozen=True, slots=True)
class Postpone:
    """Try again after ``delay`` seconds, without counting an attempt: the fault is not the repository's."""

    delay: float


@dataclasses.dataclass(frozen=True, slots=True)
class Release:
    """Leave the repository to the next worker, without counting an attempt."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fail:
    """Give up until the repository is submitted or retried, and keep the reason."""

    code: str
    reason: str


Decision = Retry | Postpone | Release | Fail


def decide(error: Exception, attempts: int, max_attempts: int, jitter: float) -> Decision:
    """What to do after ``error``.

    Args:
        error: what the job raised.
        attempts: faults since the last progress, this one not counted.
        max_attempts: after how many faults to give up.
        jitter: a number from 0 to 1 that spreads the retries of many repositories.
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
