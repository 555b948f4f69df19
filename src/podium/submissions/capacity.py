"""How much may wait to be counted, of all clients together."""

from __future__ import annotations

import dataclasses

from podium.errors import QueueFull
from podium.repositories.store.queue import due_work
from podium.storage.session import Session

# Bytes that count for a repository without a mirror's size: no host says how large a clone will be.
UNKNOWN_SIZE = 100 * 10**6

_RETRY_AFTER = 60


@dataclasses.dataclass(frozen=True, slots=True)
class Capacity:
    """Numbers of waiting repositories, and of bytes that they clone. 0: no limit."""

    repositories: int
    clone_bytes: int

    def check(self, session: Session) -> None:
        """Refuse a repository that this transaction has made wait.

        Raises:
            QueueFull: with it, more waits than may. The transaction must be rolled back.
        """
        repositories, clone_bytes = due_work.waiting(session, unknown_size=UNKNOWN_SIZE)
        if 0 < self.repositories < repositories or 0 < self.clone_bytes < clone_bytes:
            raise QueueFull(
                "Too many repositories wait to be counted. Boards that exist can be read and refreshed: try a new "
                f"repository again in {_RETRY_AFTER} s.",
                _RETRY_AFTER,
            )
