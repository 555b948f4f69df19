"""Transactions on the database: SQL text in, rows out. The interface; SQLite and PostgreSQL stand behind it.

The SQL is written once for :mod:`~podium.storage.sqlite` and :mod:`~podium.storage.postgres`, with parameters as
``:name``. What the two spell differently is written as a token that they replace:

``{now}``
    the database's clock at the start of the statement, seconds since the epoch as floating point
``{for_update}``
    lock the selected rows until the transaction ends (SQLite: the whole database is locked by ``BEGIN IMMEDIATE``)
``{skip_locked}``
    the same, passing over rows that somebody else has locked
``{up_since}``
    the moment at which the database's server was started (SQLite: long ago)

SQLAlchemy is not used to run queries: importing it costs more than ranking a small repository (see
``docs/dependencies.md``). It owns the tables and, through Alembic, the migrations.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

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

    def executemany(self, sql: str, rows: Iterable[Params | Sequence[Any]], /) -> None:
        """Run ``sql`` once for each of ``rows``: parameters by name, or values for each ``?`` in turn."""

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
        """Insert ``rows``, each with a value for every one of ``columns``, by the database's fastest way."""


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
