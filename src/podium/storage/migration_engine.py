"""SQLAlchemy's engines for migrations, which exclude each other."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from podium.storage.postgresql.postgres import read_url
from podium.storage.postgresql.postgres_errors import explained
from podium.storage.private_file import make_private

if TYPE_CHECKING:
    import psycopg

# "podium" in hexadecimal.
_ADVISORY_LOCK = 0x706F6469756D

# Seconds between two looks for the end of another migration.
_LOOK_EVERY = 0.2

# All statements on a busy table queue up behind a migration that waits for it. So it waits for less than a second, and
# is started again.
LOCK_TIMEOUT_MS = 500
# The operator's own timeouts are for short queries.
_NO_TIMEOUT = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
# 17 added it.
_NO_TRANSACTION_TIMEOUT = "SET LOCAL transaction_timeout = 0"


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

    # The URL is read as for queries.
    conninfo, _ = read_url(url)

    def connect() -> psycopg.Connection[Any]:
        connection = psycopg.connect(conninfo, prepare_threshold=None)
        if not is_behind_pooler(connection):
            # An index is built outside of transactions.
            connection.autocommit = True
            connection.execute("SET statement_timeout = 0; SET lock_timeout = 0")
            connection.autocommit = False
        return connection

    engine = create_engine("postgresql+psycopg://", poolclass=NullPool, creator=connect)
    event.listen(engine, "begin", _begin_postgres)
    return engine


def is_behind_pooler(connection: psycopg.Connection[Any]) -> bool:
    """Whether a pooler such as pgbouncer hands the transactions of this connection to different sessions.

    It makes up the number of the process that the client sees.
    """
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    connection.rollback()
    return row is None or row[0] != connection.info.backend_pid


def _begin_postgres(connection: Connection) -> None:
    raw: Any = connection.connection.dbapi_connection
    if raw.autocommit:
        return
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_MS}ms'; {_NO_TIMEOUT}")
    if raw.info.server_version >= 170000:
        connection.exec_driver_sql(_NO_TRANSACTION_TIMEOUT)


@contextlib.contextmanager
def alone(engine: Engine) -> Iterator[None]:
    """Wait until no other migration of this PostgreSQL database runs, and keep others out.

    The lock belongs to a transaction, which holds through a pooler, where a session does not, and ends with this
    process. Between statements it has no snapshot. A statement that waited would have one, and an index that is built
    concurrently waits for all snapshots: so the lock is asked for again and again.
    """
    with engine.connect() as connection:
        while not connection.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({_ADVISORY_LOCK})").scalar():
            connection.rollback()
            time.sleep(_LOOK_EVERY)
        yield


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


def is_locked_out(error: DBAPIError) -> bool:
    """Whether others used the same tables for longer than a migration waits, or waited for it in turn."""
    return getattr(error.orig, "sqlstate", None) in ("55P03", "40P01")


def reason(url: str | URL, error: SQLAlchemyError) -> str:
    import psycopg

    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, psycopg.Error):
        return explained(read_url(str(url))[1], cause).message
    return str(cause or error).splitlines()[0]
