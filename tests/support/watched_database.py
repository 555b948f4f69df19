"""A database that counts what each transaction writes, and a process that is killed after some of them."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

from podium.storage.session import Database
from podium.storage.sqlite import SqliteDatabase
from podium.storage.transactions.time_limits import NORMAL, TimeLimit


class Watched:
    """A database that counts the rows that each transaction writes, and calls ``after`` at the end of each."""

    def __init__(self, db: Database, after: Callable[[int], None] = lambda _: None) -> None:
        self._db = db
        self._after = after
        self.written: list[int] = []
        self.read = db.read

    @contextlib.contextmanager
    def write(self, limit: TimeLimit = NORMAL) -> Iterator[Any]:
        rows = 0

        class Session:
            def __getattr__(self, name: str) -> Any:
                return getattr(session, name)

            def run(self, sql: str, /, **params: Any) -> int:
                nonlocal rows
                rows += (changed := session.run(sql, **params))
                return changed

            def executemany(self, sql: str, given: Any, /) -> None:
                nonlocal rows
                rows += len(given := list(given))
                session.executemany(sql, given)

            def copy(self, table: str, columns: Any, given: Any, /) -> None:
                nonlocal rows
                rows += len(given := list(given))
                session.copy(table, columns, given)

        with self._db.write(limit) as session:
            yield Session()
        self.written.append(rows)
        self._after(len(self.written))

    def close(self) -> None:
        """Do nothing: the fixture closes the database."""


def ends_after(transactions: int, db: SqliteDatabase, work: Callable[[Watched], None]) -> bool:
    """Run ``work`` in a process that is killed after so many transactions; return whether it ended by itself."""
    child = os.fork()
    if child == 0:
        own = SqliteDatabase(db.path)
        work(Watched(own, lambda done: os.kill(os.getpid(), signal.SIGKILL) if done == transactions else None))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return not os.WIFSIGNALED(status)
