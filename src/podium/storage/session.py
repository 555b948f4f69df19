"""The interface to the database: SQL text in, rows out.

The SQL serves SQLite and PostgreSQL. Parameters are ``:name``; tokens stand for what the two spell differently:

``{now}``
    the database's clock at the start of the statement, in seconds since the epoch
``{for_update}``
    lock the selected rows until the transaction ends (SQLite: ``BEGIN IMMEDIATE``)
``{skip_locked}``
    the same, without rows that another transaction has locked
``{one_at_a_time}``
    in a SELECT: wait until no other transaction that selected it runs (SQLite: ``BEGIN IMMEDIATE``)
``{one_take_at_a_time}``
    the same, of those that selected this one
``{up_since}``
    when the database's server was started (SQLite: long ago)

Queries do not use SQLAlchemy: its import takes longer than ranking a small repository.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from podium.storage.transactions.time_limits import NORMAL, TimeLimit

Row = Mapping[str, Any]
Params = Mapping[str, Any]


class Session(Protocol):
    """Committed when its ``with`` block ends, rolled back when that raises."""

    def all(self, sql: str, /, **params: Any) -> list[Row]: ...

    def tuples(self, sql: str, /, **params: Any) -> list[tuple[Any, ...]]:
        """Like :meth:`all`, without column names, for tens of thousands of rows."""

    def one(self, sql: str, /, **params: Any) -> Row | None: ...

    def value(self, sql: str, /, **params: Any) -> Any: ...

    def run(self, sql: str, /, **params: Any) -> int:
        """Return the number of changed rows."""

    def executemany(self, sql: str, rows: Iterable[Params | Sequence[Any]], /) -> None:
        """With parameters by name, or values for each ``?``."""

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
        """Insert ``rows`` in the fastest way."""


class Database(Protocol):
    """Thread-safe. SQLite has no time limits, because no server can hang."""

    def read(self, limit: TimeLimit = NORMAL, /) -> contextlib.AbstractContextManager[Session]:
        """Begin a transaction that sees one snapshot.

        Raises:
            StorageError: the database cannot be reached or read.
        """

    def write(self, limit: TimeLimit = NORMAL, /) -> contextlib.AbstractContextManager[Session]:
        """Begin a transaction that may write.

        Raises:
            StorageError: the database cannot be reached, stays locked, or has no space left.
        """

    def close(self) -> None: ...
