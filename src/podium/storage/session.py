"""Transactions on the database: SQL text in, rows out.

The SQL is written once for SQLite and PostgreSQL, with parameters as ``:name``. What the two spell differently is
written as a token that this module replaces:

``{now}``
    the database's clock, seconds since the epoch as floating point
``{for_update}``
    lock the selected rows until the transaction ends (SQLite: the whole database is locked by ``BEGIN IMMEDIATE``)

SQLAlchemy is not used to run queries: importing it costs more than ranking a small repository (see
``docs/dependencies.md``). It owns the tables and, through Alembic, the migrations.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from podium.errors import StorageError, WrongRevision

Row = Mapping[str, Any]
Params = Mapping[str, Any]


class Session(Protocol):
    """One transaction. All of it is saved when its ``with`` block ends, nothing when it raises."""

    def all(self, sql: str, /, **params: Any) -> list[Row]:
        """Run ``sql``; give every row."""

    def one(self, sql: str, /, **params: Any) -> Row | None:
        """Run ``sql``; give its first row, or None."""

    def value(self, sql: str, /, **params: Any) -> Any:
        """Run ``sql``; give the first column of its first row, or None."""

    def run(self, sql: str, /, **params: Any) -> int:
        """Run ``sql``; give the number of rows it changed."""

    def many(self, sql: str, rows: Iterable[Params | Sequence[Any]], /) -> None:
        """Run ``sql`` once for each of ``rows``."""


class Database(Protocol):
    """Where Podium keeps what it knows. Safe to share between threads."""

    def read(self) -> contextlib.AbstractContextManager[Session]:
        """A transaction that only reads, and sees one moment of the database.

        Raises:
            StorageError: the database cannot be reached or read.
        """

    def write(self) -> contextlib.AbstractContextManager[Session]:
        """A transaction that may write.

        Raises:
            StorageError: the database cannot be reached, stays locked by others, or has no room.
        """

    def close(self) -> None:
        """Close every connection."""


# Seconds that a transaction waits for another writer before it gives up.
BUSY_TIMEOUT = 15.0

# strftime has no fraction of a second in a number; the Julian day has. 2440587.5 is the day of the epoch.
_SQLITE_NOW = "((julianday('now') - 2440587.5) * 86400.0)"


def _sqlite_sql(sql: str) -> str:
    return sql.replace("{now}", _SQLITE_NOW).replace("{for_update}", "")


class _SqliteSession:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, sql: str, /, **params: Any) -> list[Row]:
        return self._connection.execute(_sqlite_sql(sql), params).fetchall()

    def one(self, sql: str, /, **params: Any) -> Row | None:
        row: Row | None = self._connection.execute(_sqlite_sql(sql), params).fetchone()
        return row

    def value(self, sql: str, /, **params: Any) -> Any:
        row = self.one(sql, **params)
        return None if row is None else next(iter(row.values()))

    def run(self, sql: str, /, **params: Any) -> int:
        return self._connection.execute(_sqlite_sql(sql), params).rowcount

    def many(self, sql: str, rows: Iterable[Params | Sequence[Any]], /) -> None:
        self._connection.executemany(_sqlite_sql(sql), rows)


def _as_dict(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> dict[str, Any]:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


class SqliteDatabase:
    """The embedded default: one SQLite file in write-ahead-log mode, shared by threads and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False

    def read(self) -> contextlib.AbstractContextManager[Session]:
        return self._transaction("BEGIN")

    def write(self) -> contextlib.AbstractContextManager[Session]:
        # IMMEDIATE takes the write lock at once: a transaction that reads first and writes later could
        # otherwise find that another has written between, and fail instead of waiting.
        return self._transaction("BEGIN IMMEDIATE")

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[Session]:
        try:
            connection = self._take()
            try:
                connection.execute(begin)
                try:
                    yield _SqliteSession(connection)
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
            finally:
                self._give_back(connection)
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> StorageError:
        text = str(error)
        if "full" in text:
            return StorageError(
                f"No room left for the database {self.path}: free some space on its disk, then try again."
            )
        if "locked" in text or "busy" in text:
            return StorageError(
                f"The database {self.path} was busy for {BUSY_TIMEOUT:.0f} seconds: try again, "
                "or use PostgreSQL (DATABASE_URL) where many write at once."
            )
        if "no such table" in text or "no such column" in text:
            return WrongRevision(f"The database {self.path} lacks Podium's tables ({text}): run `podium migrate`.")
        if "readonly" in text or "unable to open" in text:
            return StorageError(f"The database {self.path} cannot be written ({text}): check the folder's permissions.")
        if "malformed" in text or "not a database" in text:
            return StorageError(
                f"The database {self.path} is damaged ({text}): restore a backup, or move it away to start anew."
            )
        return StorageError(f"The database {self.path} answered: {text}.")

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
        connection.row_factory = _as_dict
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA journal_mode = WAL")
        # In WAL mode NORMAL cannot corrupt; a power cut may lose the last transactions, which the reconciler redoes.
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
