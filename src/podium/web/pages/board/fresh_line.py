"""How fresh a board is: when it was counted, what its host answered last, when it is asked next, and what failed."""

from __future__ import annotations

import dataclasses
import time

from podium.repositories.model import Repository, State
from podium.timeutil import iso_time

# Seconds. Pages that are kept for all readers are made again when one of their moments moves into another such span:
# at most six times an hour for a board without news, however often its host is asked. With JavaScript, a page shows the
# moments of the present row (podium.web.live.follow).
COARSE = 600


# Seconds by which the clock of a committer may be ahead of this server's.
_SKEW = 3600


def coarse_moments(row: Repository, *, refresh_after: float = 0.0) -> tuple[object, ...]:
    """What a kept page says about the checks of a repository, as a part of its key.

    ``refresh_after``: as for :meth:`FreshLine.of`.
    """
    moments = (None if moment is None else moment // COARSE for moment in (row.checked_at, row.check_at))
    may_retry = _retry_at(row, refresh_after, time.time()) is None
    return (*moments, row.refresh_every == 0, _reports_pushes(row), may_retry)


def _reports_pushes(row: Repository) -> bool:
    """Whether a hook reported the last push that is known here.

    A hook that was removed or broke is one day followed by a head that is younger than the last push it reported.
    """
    return row.pushed_at is not None and (row.head_committed_at or 0) <= row.pushed_at + _SKEW


def _error(row: Repository) -> tuple[str | None, float | None]:
    """Why and when the last refresh of a board failed."""
    if row.name_taken_at is not None:
        # Nothing is counted, and the page says why.
        return None, None
    if row.state == State.FAILED:
        return row.error or "The reason is not known.", row.updated_at
    return row.refresh_error, row.refresh_error_at


def _retry_at(row: Repository, refresh_after: float, now: float) -> float | None:
    """When a reader may have a refresh that failed tried again; None: at once."""
    if row.state == State.FAILED or row.refresh_error_at is None or row.refresh_error_at + refresh_after <= now:
        return None
    return row.refresh_error_at + refresh_after


@dataclasses.dataclass(frozen=True, slots=True)
class FreshLine:
    """Moments are ISO times.

    Attributes:
        counted_at: of the commits that the board shows; None: there is no board.
        unchanged_at: when the host last said that there is nothing newer; None: not since the count.
        is_counting: a newer count waits or runs.
        finds_accounts: the accounts of this count are being looked up.
        is_paused: an administrator stopped the checks of the repository, its host, or all.
        follows_pushes: a push is counted at once.
        next_at: when the host is asked for the head next; None: that is not scheduled.
        error, error_at: why and when the last refresh failed.
        tries_again: Podium tries that refresh again automatically.
        is_given_up: it does not, and counts the repository only when a reader asks for it.
        can_retry_at: when a reader may have it tried again; None: now.
        name_taken_at: since when another repository has its name.
    """

    counted_at: str | None
    unchanged_at: str | None
    is_counting: bool
    finds_accounts: bool
    is_paused: bool
    follows_pushes: bool
    next_at: str | None
    error: str | None
    error_at: str | None
    tries_again: bool
    is_given_up: bool
    can_retry_at: str | None
    name_taken_at: str | None

    @classmethod
    def of(
        cls,
        row: Repository,
        *,
        is_paused: bool = False,
        takes_pushes: bool = False,
        refresh_after: float = 0.0,
        now: float | None = None,
    ) -> FreshLine:
        """The line of a repository.

        Args:
            takes_pushes: this server receives webhooks.
            refresh_after: seconds after which a reader may have a refresh that failed tried again.
        """
        now = time.time() if now is None else now
        finds_accounts, (error, error_at) = row.state == State.USERS_PROCESSING, _error(row)
        is_counting = row.state.is_unfinished and not finds_accounts
        # A check of a branch or tag asks about its repository, and never about its own commits.
        checked, next_check = (None, None) if row.revision is not None else (row.checked_at, row.check_at)
        counted = row.commits_processed_at
        is_unchanged = not row.state.is_unfinished and error_at is None and (checked or 0.0) > (counted or 0.0)
        return cls(
            counted_at=iso_time(counted),
            unchanged_at=iso_time(checked) if is_unchanged else None,
            is_counting=is_counting,
            finds_accounts=finds_accounts,
            is_paused=is_paused,
            follows_pushes=takes_pushes and _reports_pushes(row),
            next_at=iso_time(next_check),
            error=error,
            error_at=iso_time(error_at),
            tries_again=row.waiting_code is not None,
            is_given_up=row.state == State.FAILED,
            can_retry_at=iso_time(_retry_at(row, refresh_after, now)),
            name_taken_at=iso_time(row.name_taken_at),
        )
