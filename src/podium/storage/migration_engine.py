"""SQLAlchemy's engines, for migrations: each transaction on one excludes all other migrations of the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from podium.storage.postgres import read_url
from podium.storage.postgres_errors import explained

# Names the lock on migrations among PostgreSQL's advisory locks: "podium" in hexadecimal.
_ADVISORY_LOCK = 0x706F6469756D


def migration_engine(url: str | URL) -> Engine:
    """An engine on the database at ``url``, without a pool.

    Raises:
        BadSetting: the URL cannot be read.
    """
    return _postgres(str(url)) if _is_postgres(url) else _sqlite(url)


def _is_postgres(url: str | URL) -> bool:
    return isinstance(url, str) and url.startswith("postgres")


def _postgres(url: str) -> Engine:
    import psycopg

    # Not by SQLAlchemy's own reading of the URL: both ways to the database understand the same ones.
    conninfo, _ = read_url(url)
    engine = create_engine("postgresql+psycopg://", poolclass=NullPool, creator=lambda: psycopg.connect(conninfo))
    event.listen(engine, "begin", _lock)
    return engine


def _lock(connection: Any) -> None:
    # Of two that start at once the second waits here, then finds nothing to do.
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
    # A table that is in use for long must not keep everybody waiting behind a migration that waits for it.
    connection.exec_driver_sql("SET LOCAL lock_timeout = '30s'")


def _sqlite(url: str | URL) -> Engine:
    # Foreign keys stay off (SQLite's default): a table that is rebuilt must not delete its children.
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 60})
    event.listen(engine, "connect", _begin_by_hand)
    event.listen(engine, "begin", _begin)
    return engine


def _begin_by_hand(dbapi_connection: Any, _record: Any) -> None:
    # The driver must not start transactions by itself, or DDL would run outside of them.
    dbapi_connection.isolation_level = None


def _begin(connection: Any) -> None:
    # The write lock is taken before the revision is read: of two that start at once the second finds nothing to do.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def reason(url: str | URL, error: SQLAlchemyError) -> str:
    """What is wrong, in a line."""
    import psycopg

    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, psycopg.Error):
        return explained(read_url(str(url))[1], cause).message
    return str(cause or error).splitlines()[0]
