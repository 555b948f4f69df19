"""Alembic's environment: every migration runs in one transaction that excludes all other migrations."""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import create_engine, event, pool

from podium.storage.tables import metadata


def _serialise(dbapi_connection: Any, _record: Any) -> None:
    # The driver must not start transactions by itself, or DDL would run outside of them.
    dbapi_connection.isolation_level = None


def _begin(connection: Any) -> None:
    # The write lock is taken before the revision is read: of two that start at once the second finds nothing to do.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def run() -> None:
    """Run what Alembic was asked for, against the URL of its configuration."""
    url = context.config.attributes["url"]
    # Foreign keys stay off (SQLite's default): a table that is rebuilt must not delete its children.
    engine = create_engine(url, poolclass=pool.NullPool, connect_args={"timeout": 60})
    event.listen(engine, "connect", _serialise)
    event.listen(engine, "begin", _begin)
    with engine.begin() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            transactional_ddl=True,
            render_as_batch=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
