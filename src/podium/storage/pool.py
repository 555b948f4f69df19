"""The connections that the threads of one process share."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from podium.errors import StorageError


class Connection(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=Connection)


class Pool(Generic[C]):
    """Lends a connection to one thread at a time.

    Args:
        connect: opens a connection within the given seconds, or without a limit.
        is_usable: whether a returned connection can be lent again.
        patience: seconds to wait if ``most`` connections are lent.
    """

    def __init__(
        self, connect: Callable[[float | None], C], is_usable: Callable[[C], bool], *, most: int, patience: float
    ) -> None:
        self._connect = connect
        self._is_usable = is_usable
        self._patience = patience
        self._room = threading.BoundedSemaphore(most)
        self._most = most
        self._idle: list[C] = []
        self._lock = threading.Lock()
        self._closed = False

    @contextlib.contextmanager
    def lend(self, *, within: float | None = None) -> Iterator[C]:
        """Lend a connection.

        Args:
            within: seconds to wait for one, and for a new one; None: as long as usual.

        Raises:
            StorageError: all of them stayed in use, or the pool is closed.
        """
        patience = self._patience if within is None else min(self._patience, within)
        if not self._room.acquire(timeout=patience):
            raise StorageError(
                f"All {self._most} connections of this process to the database were in use for {patience:.0f} seconds: "
                "try again, or raise PODIUM_DATABASE_CONNECTIONS.",
                "database-busy",
            )
        try:
            connection = self._take(within)
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            self._room.release()

    def _take(self, within: float | None) -> C:
        with self._lock:
            if self._closed:
                raise StorageError("This process has closed its database, because it ends.")
            if self._idle:
                return self._idle.pop()
        return self._connect(within)

    def _give_back(self, connection: C) -> None:
        with self._lock:
            if not self._closed and self._is_usable(connection):
                self._idle.append(connection)
                return
        connection.close()

    def close_idle(self) -> None:
        """After a fault of one connection, idle ones of its age are suspect."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def close(self) -> None:
        """Lent connections close when they come back, and none is lent any more."""
        with self._lock:
            self._closed = True
        self.close_idle()
