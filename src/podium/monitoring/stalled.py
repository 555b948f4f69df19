"""Find stalled repositories, and why they are stalled. A working installation has none."""

from __future__ import annotations

import dataclasses
from typing import Literal

from podium.jobs.reconciler import LATEST
from podium.repositories.store import statistics
from podium.storage.session import Session

Reason = Literal["expired_lease", "never_enqueued", "no_progress"]

# Reconcilers run every few seconds, so a lease that expired this many seconds ago should have a new holder.
EXPIRED_AFTER = 60.0
# The reconciler enqueues what is due at least every LATEST seconds.
NOT_ENQUEUED_AFTER = 1.5 * LATEST

SHOWN = 10


@dataclasses.dataclass(frozen=True, slots=True)
class StalledRepository:
    """A repository that has not changed for ``seconds``.

    reason: ``expired_lease``: its worker vanished and no other took over; ``never_enqueued``: it is due, but not in a
    queue; ``no_progress``: a worker holds it and makes no progress.
    """

    id: int
    url: str
    reason: Reason
    seconds: float


def find(session: Session, *, no_progress_after: float) -> list[StalledRepository]:
    """The :data:`SHOWN` repositories that have been stalled longest.

    ``no_progress_after``: seconds that a worker may hold a repository without progress.
    """
    rows = statistics.stalled(
        session,
        expired_after=EXPIRED_AFTER,
        not_enqueued_after=NOT_ENQUEUED_AFTER,
        no_progress_after=no_progress_after,
        limit=SHOWN,
    )
    return [StalledRepository(**row) for row in rows]
