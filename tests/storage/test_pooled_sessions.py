"""Through a pooler in transaction mode, and before a server that hangs: each transaction brings its own limits."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from podium.errors import DatabaseAway, StorageError
from podium.storage import migrate
from podium.storage.migration_engine import is_behind_pooler
from podium.storage.postgresql.postgres import PostgresDatabase
from podium.storage.transactions.time_limits import LONG, QUICK, TimeLimit
from tests.support.pooler import Pooler, pooled
from tests.support.postgres import Postgres


@pytest.fixture
def operated(postgres: Postgres) -> str:
    """A database whose operator ends every statement soon."""
    name = postgres.create_migrated()
    for limit in ("statement_timeout = '40ms'", "lock_timeout = '7ms'", "transaction_timeout = '90ms'"):
        postgres.ask(f"ALTER DATABASE {name} SET {limit}")
    return postgres.url(name)


@pytest.fixture
def pooler(operated: str) -> Iterator[Pooler]:
    with pooled(operated) as pooler:
        yield pooler


@pytest.fixture
def db(pooler: Pooler) -> Iterator[PostgresDatabase]:
    database = PostgresDatabase(pooler.url, most=2)
    yield database
    database.close()


def test_the_limits_are_those_of_podium_in_every_session_and_leave_none(pooler: Pooler, db: PostgresDatabase) -> None:
    found = set()
    for begin, limit, expected in (
        (db.read, None, "2min"),
        (db.write, None, "2min"),
        (db.write, LONG, "1h"),
        (db.read, QUICK, "1500ms"),
    ):
        with begin() if limit is None else begin(limit) as session:
            found.add(session.value("SELECT pg_backend_pid()"))
            shown = [session.value(f"SHOW {name}") for name in ("statement_timeout", "lock_timeout")]
            assert shown == [expected, "15s"]
            assert session.value("SHOW idle_in_transaction_session_timeout") == "1min"
            session.run("SELECT pg_sleep(0.1)")
    assert len(found) == 3
    with psycopg.connect(pooler.url, autocommit=True) as connection:
        for _ in range(3):
            row = connection.execute("SHOW statement_timeout").fetchone()
            assert row == ("40ms",)


def test_rows_are_written_one_by_one_and_in_bulk_through_a_pooler(db: PostgresDatabase) -> None:
    columns = ("key", "held_until")
    with db.write() as session:
        session.run("INSERT INTO github_limit VALUES (:key, 1)", key="a")
        session.executemany("INSERT INTO github_limit VALUES (?, ?)", [("b", 1), ("c", 2)])
        session.copy("github_limit", columns, ((f"d{n}", n) for n in range(2000)))
    with db.read() as session:
        assert session.value("SELECT count(*) FROM github_limit") == 2003
    with pytest.raises(StorageError), db.write() as session:
        session.run("INSERT INTO github_limit VALUES ('a', 1)")
    with db.read() as session:
        assert session.value("SELECT count(*) FROM github_limit") == 2003


def test_a_migration_goes_through_a_pooler(postgres: Postgres) -> None:
    with pooled(postgres.url(postgres.create_migrated())) as pooler:
        migrate.migrate(pooler.url, migrate.REVISIONS[-2])
        migrate.migrate(pooler.url)
        with psycopg.connect(pooler.url) as connection:
            assert is_behind_pooler(connection)
    with psycopg.connect(postgres.url()) as connection:
        assert not is_behind_pooler(connection)


def test_a_server_that_hangs_is_given_up(pooler: Pooler, db: PostgresDatabase) -> None:
    with db.read() as session:
        session.value("SELECT 1")
    pooler.hang()
    short = TimeLimit(0.1, 0.2)
    # On a connection of before, and on a new one.
    for _ in range(2):
        with pytest.raises(DatabaseAway, match="does not answer") as error, db.read(short):
            pass
        assert error.value.code == "database-away"
    pooler.go_on()
    with db.read() as session:
        assert session.value("SELECT 1") == 1


def test_a_statement_that_takes_too_long_is_named(db: PostgresDatabase) -> None:
    late = "did not finish a statement in time"
    with pytest.raises(StorageError, match=late) as error, db.read(TimeLimit(0.02, 5.0)) as session:
        session.value("SELECT pg_sleep(10)")
    assert error.value.code == "database-timeout"


@pytest.mark.parametrize(
    ("sqlstate", "code", "is_away"),
    [
        ("57014", "database-timeout", False),
        ("55P03", "database-locked", False),
        ("25006", "database-read-only", False),
        ("53100", "database-full", False),
        ("53300", "database-connections", True),
        ("28P01", "database-refused", False),
        ("57P01", "database-away", True),
        ("57P03", "database-away", True),
        ("08006", "database-away", True),
        ("40001", "database-conflict", False),
        ("40P01", "database-conflict", False),
        ("XX001", "database-damaged", False),
        ("22P02", "storage", False),
    ],
)
def test_an_error_is_named_for_what_it_is(db: PostgresDatabase, sqlstate: str, code: str, is_away: bool) -> None:
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'no way' USING ERRCODE = '{sqlstate}'; END $$"
    with pytest.raises(StorageError, match="no way") as error, db.write() as session:
        session.run(raising)
    assert (error.value.code, isinstance(error.value, DatabaseAway)) == (code, is_away)
    assert "\n" not in error.value.message
