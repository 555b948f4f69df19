"""The places of repositories that wait to be counted, in the order of :mod:`podium.repositories.fair_queue`."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping

from podium.repositories.model import Repository, State
from podium.repositories.store.queue import due_work
from podium.storage.session import Database, Session
from podium.storage.throttled import Throttled
from podium.storage.transactions.time_limits import QUICK

# Seconds until places are read again; repositories beyond the first so many have none.
_FRESH = 1.0
_MOST = 10_000
# What lists show to administrators.
_FIRST = 1000


@dataclasses.dataclass(frozen=True, slots=True)
class QueuePlace:
    """``place``: from 1 to ``of``. ``is_about``: others may overtake. ``stopped``: why none is counted now."""

    place: int
    of: int
    is_about: bool
    stopped: str | None = None


class QueuePlaces:
    """The places in one database, read at most once a second for all repositories. Thread-safe; a call may block.

    Args:
        why_stopped: says why no worker counts; None: nothing keeps them from it.
    """

    def __init__(
        self,
        db: Database,
        clock: Callable[[], float] = time.monotonic,
        *,
        why_stopped: Callable[[Session], str | None] = lambda _: None,
    ) -> None:
        self._db = db
        self._why_stopped = why_stopped
        self._places = Throttled[Mapping[int, QueuePlace]](fresh=_FRESH, clock=clock)

    def of(self, repository: Repository) -> QueuePlace | None:
        """The place of a repository; None if it does not wait in the queue, or is too new or too far behind.

        A slow one waits for an overflow slot, for which more than the order decides.

        Raises:
            StorageError: the database cannot be read.
        """
        if repository.state != State.PENDING:
            return None
        return self._places.get(self._read).get(repository.id)

    def _read(self) -> dict[int, QueuePlace]:
        with self._db.read(QUICK) as session:
            waiting = due_work.waiting_in_order(session, limit=_MOST)
            stopped = self._why_stopped(session) if waiting else None
        return _places(waiting, stopped)


def first_places(session: Session) -> dict[int, int]:
    """The places of the first repositories that wait, by id, read now."""
    return {
        number: one.place for number, one in _places(due_work.waiting_in_order(session, limit=_FIRST), None).items()
    }


def _places(waiting: list[due_work.Waiting], stopped: str | None) -> dict[int, QueuePlace]:
    """A new submission comes after all with the first virtual start, and before some of the others.

    A repository that waits for a time of its own, or for another branch of it, can be overtaken, and can overtake.
    """
    in_queue = [each for each in waiting if each.is_due]
    first = in_queue[0].virtual_start if in_queue else 0.0
    can_be_overtaken, places = False, {}
    of_queue = iter(range(1, len(in_queue) + 1))
    for each in waiting:
        if not each.is_due:
            can_be_overtaken = True
            continue
        is_about = can_be_overtaken or not each.is_free or each.virtual_start > first
        places[each.id] = QueuePlace(next(of_queue), len(in_queue), is_about, stopped)
    return places
