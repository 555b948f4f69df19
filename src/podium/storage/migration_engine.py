"""SQLAlchemy's engines for migrations, which exclude each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from podium.storage.postgres import read_url
from podium.storage.postgres_errors import explained
from podium.storage.private_file import make_private

# "podium" in hexadecimal.
_ADVISORY_LOCK = 0x706F6469756D


def migration_engine(url: str | URL) -> Engine:
    """Create an engine without a pool.

    Raises:
        BadSetting: the URL cannot be read.
    """
    return _postgres(str(url)) if _is_postgres(url) else _sqlite(url)


def _is_postgres(url: str | URL) -> bool:
    return isinstance(url, str) and url.startswith("postgres")


def _postgres(url: str) -> Engine:
    import psycopg

    # As queries read it.
    conninfo, _ = read_url(url)
    engine = create_engine("postgresql+psycopg://", poolclass=NullPool, creator=lambda: psycopg.connect(conninfo))
    event.listen(engine, "begin", _lock)
    return engine


def _lock(connection: Any) -> None:
    # A concurrent migration waits here.
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
    # Queries on a busy table queue up behind a migration that waits for it.
    connection.exec_driver_sql("SET LOCAL lock_timeout = '30s'")


def _sqlite(url: str | URL) -> Engine:
    # Foreign keys stay off (the default): a rebuilt table must not delete its children.
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 60})
    if engine.url.database:
        make_private(Path(engine.url.database))
    event.listen(engine, "connect", _begin_by_hand)
    event.listen(engine, "begin", _begin)
    return engine


def _begin_by_hand(dbapi_connection: Any, _record: Any) -> None:
    dbapi_connection.isolation_level = None


def _begin(connection: Any) -> None:
    # A concurrent migration waits here, before it reads the revision.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def reason(url: str | URL, error: SQLAlchemyError) -> str:
    import psycopg

    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, psycopg.Error):
        return explained(read_url(str(url))[1], cause).message
    return str(cause or error).splitlines()[0]
