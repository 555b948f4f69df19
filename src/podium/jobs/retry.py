"""The retry rule of a server: what happens to a repository whose job raised an error. No I/O.

=====================================  =============================================================================
error                                  what follows
=====================================  =============================================================================
the work was stopped, the lease lost   the next worker takes the repository
database or queue away                 again in 5 to 10 s, as often as needed
the database is full, read-only or     again in 1 to 2 minutes, as often as needed: a large count is not repeated all
too slow, or refuses the write         the time until a person acts
no connection to the host              again, automatically. The second time in a row (of any repository of the host)
                                       the host is down
the host answers with errors (5xx,     again in 2 s, 4 s, … 30 min, for about a day (:data:`MOST_HOST_FAULTS` tries);
429), a transfer breaks off            of three repositories in a row the host is down
"private" or "not found" of a board    the board stays. The same answer ten minutes later hides it; it is asked again
                                       after half of the time since the first answer, at least every day
nothing to count: no commits, no such  it fails, also if it had a board and a client asked
branch or tag
every other error of the history       it fails at once, until a user or operator retries; a board stays
an unexpected error                    again in 2 s, 4 s, … 5 min, until ``PODIUM_MAX_ATTEMPTS`` attempts have failed
=====================================  =============================================================================

While a host is down its repositories wait, without a lease, a thread or a try. One at a time is tried: after half of
the time that the host has been down, at least every ten minutes. An answer of any kind ends that, and the others follow
spread out (:mod:`podium.repositories.store.queue.host_outages`). A host that never answered here is given up after a
day, any other after a week.

A board stays completed through all of this, with the reason beside it. A repository that was never counted stays
pending. The command line retries nothing.
"""

from __future__ import annotations

import dataclasses

from podium.errors import HistoryError, Interrupted, LeaseLost, PodiumError, QueueError, StorageError

FIRST_DELAY = 2.0
LONGEST_DELAY = 300.0
LATER = 5.0
MUCH_LATER = 60.0
# Faults of the database that last. A save has been tried for a minute already.
_LASTING = frozenset(
    {
        "database-full",
        "database-read-only",
        "database-timeout",
        "database-disk",
        "database-damaged",
        "database-forbidden",
        "database-refused",
    }
)

LONGEST_HOST_DELAY = 1800.0
# Host faults of one repository in a row: 10 take about half an hour, and each further one half an hour.
MOST_HOST_FAULTS = 55

# Failures in a row from which a host is down. One repository may have them all if no connection is possible.
REFUSED_CONNECTIONS = 2
FAILED_REPOSITORIES = 3
LONGEST_PROBE_DELAY = 600.0
# Seconds until a host that stays down is given up, and one that never answered.
DOWN_AT_MOST = 7 * 86_400.0
NEVER_UP_AT_MOST = 86_400.0

# Seconds between two answers that hide a board, and until a hidden one is asked for again.
GONE_AFTER = 600.0
LONGEST_GONE_DELAY = 86_400.0

_NO_CONNECTION = "unreachable"
_OF_HOSTS = {
    _NO_CONNECTION: "cannot be reached",
    "host-error": "answers with errors",
    "interrupted-transfer": "breaks off the transfer",
}
GONE = ("missing", "taken-down")
# Errors by which a host has shown that it is up, and that the repository can be read.
READABLE = ("empty", "no-default-branch", "no-such-revision", "bad-rev")
# Failures that a push, or another head, may have ended.
CURABLE = (*GONE, *_OF_HOSTS, "empty", "no-default-branch")
_ANSWERED = (*GONE, *READABLE, "redirected")


@dataclasses.dataclass(frozen=True, slots=True)
class Retry:
    """Try again after ``delay`` seconds, and count an attempt."""

    delay: float


@dataclasses.dataclass(frozen=True, slots=True)
class Postpone:
    """Try again after ``delay`` seconds without counting an attempt: the repository did not cause the error."""

    delay: float


@dataclasses.dataclass(frozen=True, slots=True)
class WaitForHost:
    """Note a fault of the host, and try again after ``delay`` seconds, unless the host is down.

    no_connection: the host did not answer at all.
    """

    delay: float
    no_connection: bool
    code: str


@dataclasses.dataclass(frozen=True, slots=True)
class AskAgain:
    """The host says that the repository of a board is private or does not exist."""

    code: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Release:
    """Leave the repository to the next worker."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fail:
    """Give up until a user or operator retries."""

    code: str
    reason: str


Decision = Retry | Postpone | WaitForHost | AskAgain | Release | Fail


@dataclasses.dataclass(frozen=True, slots=True)
class Tries:
    """What a repository has behind it.

    attempts: unexpected errors since the last progress.
    of_host: faults of its host since then.
    has_board: whether it was counted before.
    """

    attempts: int = 0
    of_host: int = 0
    has_board: bool = False


def decide(error: Exception, tries: Tries, max_attempts: int, jitter: float, *, patient: bool = True) -> Decision:
    """Decide what to do after ``error``.

    Args:
        jitter: from 0 to 1; spreads retries.
        patient: whether faults of hosts are waited for. The command line does not.
    """
    if isinstance(error, Interrupted | LeaseLost):
        return Release()
    if isinstance(error, StorageError | QueueError):
        return Postpone((MUCH_LATER if error.code in _LASTING else LATER) * (1 + jitter))
    if isinstance(error, HistoryError) and (not error.transient or not patient or error.code in _OF_HOSTS):
        return _after_history_error(error, tries, jitter) if patient else Fail(error.code, error.message)
    if tries.attempts + 1 >= max_attempts:
        if isinstance(error, PodiumError):
            return Fail(error.code, error.message)
        return Fail(
            "internal",
            f"An unexpected error ({type(error).__name__}) stopped the work: see the log, then retry.",
        )
    return Retry(_grown(FIRST_DELAY, tries.attempts, LONGEST_DELAY, jitter))


def _after_history_error(error: HistoryError, tries: Tries, jitter: float) -> Decision:
    if error.code in GONE and tries.has_board:
        return AskAgain(error.code, error.message)
    if not error.transient:
        return Fail(error.code, error.message)
    if tries.of_host + 1 >= MOST_HOST_FAULTS:
        return Fail(error.code, f"{error.message} It was tried again for about a day.")
    delay = _grown(FIRST_DELAY, tries.of_host, LONGEST_HOST_DELAY, jitter)
    return WaitForHost(delay, error.code == _NO_CONNECTION, error.code)


def _grown(first: float, times: int, longest: float, jitter: float) -> float:
    return min(longest, first * 2.0 ** min(times, 30)) * (1 + jitter / 2)


def probe_delay(down_for: float, jitter: float) -> float:
    """Seconds until a host is tried again that has been down for ``down_for`` seconds."""
    return min(LONGEST_PROBE_DELAY, max(FIRST_DELAY, down_for / 2)) * (1 + jitter / 2)


def gone_delay(gone_for: float, jitter: float) -> float:
    """Seconds until a repository is asked for again whose host first denied it ``gone_for`` seconds ago."""
    if gone_for < GONE_AFTER:
        return GONE_AFTER - gone_for + 5 * jitter
    return min(LONGEST_GONE_DELAY, max(GONE_AFTER, gone_for / 2)) * (1 + jitter / 10)


def host_reason(host: str, code: str) -> str:
    """What readers see of a fault of a host."""
    return f"{host} {_OF_HOSTS.get(code, _OF_HOSTS[_NO_CONNECTION])}: Podium tries again automatically."


def shows_that_host_is_up(error: Exception) -> bool:
    return isinstance(error, HistoryError) and error.code in _ANSWERED


def shows_that_it_can_be_read(error: Exception) -> bool:
    return isinstance(error, HistoryError) and error.code in READABLE
