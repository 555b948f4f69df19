"""Find stalled repositories. A working installation has none."""

from __future__ import annotations

import dataclasses
from typing import Literal

from podium.repositories.store.readers import statistics
from podium.storage.due_times import LATEST
from podium.storage.session import Session

Reason = Literal["expired_lease", "never_enqueued", "no_progress"]

# Reconcilers run every few seconds, so an expired lease soon has a new holder.
EXPIRED_AFTER = 60.0
NOT_ENQUEUED_AFTER = 1.5 * LATEST

SHOWN = 10


@dataclasses.dataclass(frozen=True, slots=True)
class StalledRepository:
    """A repository that has not changed for ``seconds``.

    reason: ``expired_lease``: its worker died; ``never_enqueued``: it is due, but in no queue; ``no_progress``: a
    worker holds it without progress.
    """

    id: int
    url: str
    reason: Reason
    seconds: float


def no_progress_after(git_idle_timeout: float) -> float:
    """Seconds: a transfer may be idle for a while, and saving a large history takes time."""
    return max(600.0, 2 * git_idle_timeout)


def find(session: Session, *, no_progress_after: float) -> list[StalledRepository]:
    """Return those stalled longest. ``no_progress_after``: seconds that a worker may hold one without progress."""
    rows = statistics.stalled(
        session,
        expired_after=EXPIRED_AFTER,
        not_enqueued_after=NOT_ENQUEUED_AFTER,
        no_progress_after=no_progress_after,
        limit=SHOWN,
    )
    return [StalledRepository(**row) for row in rows]
