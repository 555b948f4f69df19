"""Steps of a migration that runs beside the version before it.

On PostgreSQL each step is committed by itself, and indexes are built concurrently. So no other writer waits for longer
than the engine's lock timeout, and a migration may end after any step: the next run repeats it from the start, which
does nothing where a step is done already. On SQLite a migration is one transaction.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

# Rows of one transaction of a data change.
STEP = 1000


def is_postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"


@contextlib.contextmanager
def step() -> Iterator[None]:
    """Commit what the block does. It must do no harm if it is repeated."""
    yield
    if is_postgres():
        with op.get_context().autocommit_block():
            pass


def add_columns(table: str, *columns: sa.Column[Any]) -> None:
    """Add columns that are nullable or have a constant default, which takes no time on a large table."""
    with step():
        for column in columns:
            op.add_column(table, column, if_not_exists=is_postgres() or None)


def drop_columns(table: str, *names: str) -> None:
    with step():
        for name in names:
            op.drop_column(table, name, if_exists=is_postgres() or None)


def create_table(name: str, *columns: sa.schema.SchemaItem, **options: Any) -> None:
    with step():
        op.create_table(name, *columns, if_not_exists=True, **options)


def drop_table(name: str) -> None:
    with step():
        op.drop_table(name, if_exists=True)


def create_index(
    name: str,
    table: str,
    columns: Sequence[str | sa.TextClause],
    *,
    where: sa.TextClause | None = None,
    unique: bool = False,
) -> None:
    """Create an index. PostgreSQL builds it concurrently, and an invalid one of an interrupted build is replaced."""
    if not is_postgres():
        op.create_index(name, table, columns, unique=unique, sqlite_where=where)
        return
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        # The server goes on with a build whose client was killed: wait for its end.
        connection.exec_driver_sql(
            "BEGIN; SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; "
            f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE; COMMIT"
        )
        if connection.scalar(sa.text(_IS_INVALID), {"name": name}):
            _drop_concurrently(name, table)
        op.create_index(
            name,
            table,
            columns,
            unique=unique,
            postgresql_where=where,
            postgresql_concurrently=True,
            if_not_exists=True,
        )


_IS_INVALID = "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"


def drop_index(name: str, table: str) -> None:
    if not is_postgres():
        op.drop_index(name, table)
        return
    with op.get_context().autocommit_block():
        _drop_concurrently(name, table)


def _drop_concurrently(name: str, table: str) -> None:
    op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)
