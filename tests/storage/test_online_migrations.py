"""Migrations of PostgreSQL beside a running Podium: they lock nothing for long, and may be killed at any point."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import event

from podium.errors import StorageError
from podium.storage import migrate, migration_engine
from podium.storage.migrations import online
from tests.support.postgres import Postgres


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.url(postgres.create_migrated())


@contextlib.contextmanager
def migration(url: str) -> Iterator[sa.Connection]:
    """Within it, the functions of ``online`` work as in a revision."""
    with migration_engine.migration_engine(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
        with Operations.context(context), context.begin_transaction(_per_migration=True):
            yield connection


def values(url: str, sql: str) -> list[tuple[Any, ...]]:
    with migration_engine.migration_engine(url).connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


VALIDITY = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_new'::regclass"


def test_an_index_is_built_beside_a_writer(url: str) -> None:
    with migration(url):
        with migration_engine.migration_engine(url).connect() as reader:
            # A snapshot of before does not read this table.
            reader.exec_driver_sql("SELECT 1")
            online.create_index("ix_new", "worker", ["host"])
        online.create_index("ix_new", "worker", ["host"])
    assert values(url, VALIDITY) == [(True,)]
    with migration(url):
        online.drop_index("ix_new", "worker")
        online.drop_index("ix_new", "worker")
    assert values(url, "SELECT to_regclass('ix_new')") == [(None,)]


def test_the_invalid_index_of_an_interrupted_build_is_replaced(url: str) -> None:
    columns = "(id, host, pid, version, queues, report, started_at, seen_at)"
    with migration_engine.migration_engine(url).begin() as connection:
        for name in "ab":
            row = f"INSERT INTO worker {columns} VALUES ('{name}', 'h', 1, '', '', '', 1, 1)"
            connection.exec_driver_sql(row)
    with pytest.raises(sa.exc.IntegrityError), migration(url):
        online.create_index("ix_new", "worker", ["host"], unique=True)
    assert values(url, VALIDITY) == [(False,)]
    with migration(url):
        online.create_index("ix_new", "worker", ["host"])
    assert values(url, VALIDITY) == [(True,)]


def test_a_step_is_committed_at_its_end_and_may_be_repeated(url: str) -> None:
    column = sa.Column("added", sa.Text)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), migration(url):
            online.add_columns("worker", column)
            online.create_table("made", sa.Column("id", sa.Integer, primary_key=True))
            with online.step():
                raise KeyboardInterrupt
    assert values(url, "SELECT added FROM worker") == []
    assert values(url, "SELECT id FROM made") == []
    for _ in range(2):
        with migration(url):
            online.drop_columns("worker", "added")
            online.drop_table("made")
    assert values(url, "SELECT to_regclass('made')") == [(None,)]


class Killed(BaseException):
    """As if the process had been killed."""


@contextlib.contextmanager
def killed_after(statements: int) -> Iterator[list[str]]:
    """Break a migration off before its next change, as a kill does; yield the changes."""
    made: list[str] = []

    def count(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.split(maxsplit=1)[0] in ("ALTER", "CREATE", "DROP", "UPDATE", "INSERT"):
            if len(made) == statements:
                raise Killed
            made.append(statement)

    event.listen(sa.Engine, "before_cursor_execute", count)
    try:
        yield made
    finally:
        event.remove(sa.Engine, "before_cursor_execute", count)


def test_a_migration_that_is_killed_at_any_point_is_finished_by_the_next(url: str) -> None:
    before = migrate.REVISIONS[-2]
    with killed_after(1000) as changes:
        migrate.migrate(url, before)
        down = len(changes)
        migrate.migrate(url)
        up = len(changes) - down
    for statements in {1, up // 2, up - 1}:
        migrate.migrate(url, before)
        # SQLAlchemy cannot end its transaction then, and says so.
        with pytest.raises((Killed, StorageError)), killed_after(statements):
            migrate.migrate(url)
        assert values(url, "SELECT version_num FROM alembic_version") == [(before,)]
        migrate.migrate(url)
        migrate.check_tables(url)


def test_a_table_in_use_delays_the_migration_and_no_writer(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration_engine, "LOCK_TIMEOUT_MS", 20)
    monkeypatch.setattr(migrate, "LOCK_PAUSE", 0.01)
    before = migrate.REVISIONS[-2]
    migrate.migrate(url, before)
    engine = migration_engine.migration_engine(url)
    with engine.connect() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM repository")
        thread = threading.Thread(target=migrate.migrate, args=(url,))
        thread.start()
        with engine.begin() as writer:
            writer.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
            for _ in range(20):
                writer.exec_driver_sql("UPDATE repository SET owner = ''")
        assert values(url, "SELECT version_num FROM alembic_version") == [(before,)]
        reader.rollback()
        thread.join(60)
    migrate.check_tables(url)


def test_a_table_that_stays_in_use_ends_the_migration_with_the_reason(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration_engine, "LOCK_TIMEOUT_MS", 20)
    monkeypatch.setattr(migrate, "LOCK_PATIENCE", 0.0)
    migrate.migrate(url, migrate.REVISIONS[-2])
    with migration_engine.migration_engine(url).connect() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM repository")
        with pytest.raises(StorageError, match="busy"):
            migrate.migrate(url)
