"""How fresh a board is: when it was counted, what its host answered last, when it is asked next, and what failed."""

from __future__ import annotations

import dataclasses
import time

from podium.repositories.model import Repository
from podium.timeutil import iso_time

# Seconds. Pages that are kept for all readers are made again when one of their moments moves into another such span:
# at most six times an hour for a board without news, however often its host is asked. With JavaScript, a page shows the
# moments of the present row (podium.web.live.follow).
COARSE = 600


def coarse_moments(row: Repository) -> tuple[object, ...]:
    """What a kept page says about the checks of a repository, as a part of its key."""
    moments = (None if moment is None else moment // COARSE for moment in (row.checked_at, row.check_at))
    return (*moments, row.refresh_every == 0, row.pushed_at is None)


@dataclasses.dataclass(frozen=True, slots=True)
class FreshLine:
    """Moments are ISO times.

    Attributes:
        counted_at: of the commits that the board shows; None: there is no board.
        unchanged_at: when the host last said that there is nothing newer; None: not since the count.
        is_counting: a newer count waits or runs.
        is_paused: an administrator stopped the checks of the repository, its host, or all.
        follows_pushes: a push is counted at once.
        next_at: when the host is asked next; None: that is not scheduled.
        error, error_at: why and when the last refresh failed.
        tries_again: Podium tries that refresh again by itself.
        can_retry_at: when a reader may have it tried again; None: now.
        name_taken_at: since when another repository has its name.
    """

    counted_at: str | None
    unchanged_at: str | None
    is_counting: bool
    is_paused: bool
    follows_pushes: bool
    next_at: str | None
    error: str | None
    error_at: str | None
    tries_again: bool
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
        is_counting, error_at = row.state.is_unfinished, row.refresh_error_at
        counted, checked = row.commits_processed_at, row.checked_at
        is_unchanged = not is_counting and error_at is None and (checked or 0.0) > (counted or 0.0)
        retry_at = None if error_at is None or error_at + refresh_after <= now else error_at + refresh_after
        return cls(
            counted_at=iso_time(counted),
            unchanged_at=iso_time(checked) if is_unchanged else None,
            is_counting=is_counting,
            is_paused=is_paused,
            follows_pushes=takes_pushes and row.pushed_at is not None,
            next_at=iso_time(row.check_at),
            error=row.refresh_error,
            error_at=iso_time(error_at),
            tries_again=row.waiting_code is not None,
            can_retry_at=iso_time(retry_at),
            name_taken_at=iso_time(row.name_taken_at),
        )
