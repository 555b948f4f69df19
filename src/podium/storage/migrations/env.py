"""Alembic's environment, in which one migration runs at a time.

SQLite: one transaction for all revisions. PostgreSQL: one for each, or for each step of
:mod:`podium.storage.migrations.online`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from alembic import context
from sqlalchemy import Connection

from podium.storage.migration_engine import alone, migration_engine
from podium.storage.tables import metadata


def run() -> None:
    with _connection() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            transactional_ddl=True,
            transaction_per_migration=connection.dialect.name == "postgresql",
            render_as_batch=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()


@contextlib.contextmanager
def _connection() -> Iterator[Connection]:
    engine = migration_engine(context.config.attributes["url"])
    if engine.dialect.name == "postgresql":
        with alone(engine), engine.connect() as connection:
            yield connection
    else:
        with engine.begin() as connection:
            yield connection


run()
