"""SQLite, the embedded default."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from podium.errors import DatabaseFault, StorageError, WrongRevision
from podium.storage.pool import Pool
from podium.storage.private_file import make_private
from podium.storage.session import Params, Row, Session
from podium.storage.transactions import own_writes
from podium.storage.transactions.time_limits import BUSY_TIMEOUT, NORMAL, TimeLimit
from podium.telemetry import metrics

# Bytes that the write-ahead log keeps after a checkpoint.
_LARGEST_WAL = 64 << 20
# More would only wait for each other.
_CONNECTIONS = 64
_WRITE = "BEGIN IMMEDIATE"

# The Julian day has fractions of a second. 2440587.5 is the epoch.
_WORDS = {
    "{now}": "((julianday('now') - 2440587.5) * 86400.0)",
    "{for_update}": "",
    "{skip_locked}": "",
    "{one_at_a_time}": "0",
    "{one_take_at_a_time}": "0",
    "{up_since}": "0.0",
}


# By what SQLite says; the first match decides.
_REASONS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("full",), "database-full", "has no space left on its disk: free some, then try again"),
    # SQLite says so of a quota, too.
    (
        ("disk I/O error",),
        "database-disk",
        "cannot be read or written ({text}): check the free space of its disk, your quota and the limit of a file's "
        "size (`ulimit -f`), then the disk itself",
    ),
    (
        ("locked", "busy"),
        "database-locked",
        f"was busy for {BUSY_TIMEOUT:.0f} seconds: try again, or use PostgreSQL (DATABASE_URL) where many write at "
        "once",
    ),
    (
        ("no such table", "no such column", "has no column named"),
        WrongRevision.code,
        "lacks Podium's tables ({text}): run `podium migrate`",
    ),
    (
        ("readonly", "unable to open"),
        "database-read-only",
        "cannot be written ({text}): check the folder's permissions",
    ),
    (
        ("malformed", "not a database"),
        "database-damaged",
        "is damaged ({text}): restore a backup, or move it away to start with an empty one",
    ),
)


def _sql(sql: str) -> str:
    for word, meaning in _WORDS.items():
        sql = sql.replace(word, meaning)
    return sql


class _SqliteSession:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, sql: str, /, **params: Any) -> list[Row]:
        cursor = self._connection.execute(_sql(sql), params)
        columns = _columns(cursor)
        return [dict(zip(columns, row, strict=True)) for row in cursor]

    def tuples(self, sql: str, /, **params: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(_sql(sql), params).fetchall()

    def one(self, sql: str, /, **params: Any) -> Row | None:
        cursor = self._connection.execute(_sql(sql), params)
        row = cursor.fetchone()
        return None if row is None else dict(zip(_columns(cursor), row, strict=True))

    def value(self, sql: str, /, **params: Any) -> Any:
        row = self.one(sql, **params)
        return None if row is None else next(iter(row.values()))

    def run(self, sql: str, /, **params: Any) -> int:
        return self._connection.execute(_sql(sql), params).rowcount

    def executemany(self, sql: str, rows: Iterable[Params | Sequence[Any]], /) -> None:
        self._connection.executemany(_sql(sql), rows)

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
        self._connection.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", rows
        )


def _begin(connection: sqlite3.Connection, statement: str) -> None:
    """Look for the write lock every few milliseconds: SQLite's own waits grow to 100 ms and miss the pauses of a save
    in steps.
    """
    if statement == "BEGIN":
        connection.execute(statement)
        return
    deadline = time.monotonic() + BUSY_TIMEOUT
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while not connection.in_transaction:
            try:
                connection.execute(statement)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(random.uniform(0.001, 0.008))  # noqa: S311 - no secret
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000:.0f}")


def _columns(cursor: sqlite3.Cursor) -> list[str]:
    # A row factory would do this per row, which takes longer than reading it.
    return [column[0] for column in cursor.description or ()]


class SqliteDatabase:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._pool = Pool(self._connect, lambda _: True, most=_CONNECTIONS, patience=BUSY_TIMEOUT)

    def read(self, _limit: TimeLimit = NORMAL, /) -> contextlib.AbstractContextManager[Session]:
        return self._transaction("BEGIN")

    def write(self, _limit: TimeLimit = NORMAL, /) -> contextlib.AbstractContextManager[Session]:
        # IMMEDIATE locks at once: after a read, a write fails if another transaction has written.
        return self._transaction(_WRITE)

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[Session]:
        try:
            with self._pool.lend() as connection:
                _begin(connection, begin)
                try:
                    yield _SqliteSession(connection)
                    connection.execute("COMMIT")
                    if begin == _WRITE:
                        own_writes.note()
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
        except sqlite3.Error as error:
            metrics.add(metrics.DATABASE_ERRORS, kind=getattr(error, "sqlite_errorname", type(error).__name__))
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> StorageError:
        text = str(error)
        for words, code, reason in _REASONS:
            if any(word in text for word in words):
                kind = WrongRevision if code == WrongRevision.code else StorageError
                return kind(f"The database {self.path} {reason.format(text=text)}.", code)
        return DatabaseFault(f"The database {self.path} answered: {text}.")

    def _connect(self, _within: float | None) -> sqlite3.Connection:
        make_private(self.path)
        connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA journal_mode = WAL")
            # NORMAL cannot corrupt in WAL mode. A power cut may lose the last transactions, which the reconciler
            # repeats.
            connection.execute("PRAGMA synchronous = NORMAL")
            # A large save must not leave a large file.
            connection.execute(f"PRAGMA journal_size_limit = {_LARGEST_WAL}")
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        self._pool.close()
