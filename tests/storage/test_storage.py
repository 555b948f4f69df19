"""Transactions: one text for two databases, all or nothing, and clear words where a database cannot be used."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from podium.errors import BadSetting, StorageError, WrongRevision
from podium.storage.postgresql.postgres import PostgresDatabase
from podium.storage.postgresql.postgres_sql import translated
from podium.storage.session import Database, Session
from tests.support.postgres import PASSWORD, Postgres, running_postgres
from tests.support.rows import add_repository

COLUMNS = ("host", "email", "contributor_id", "source", "known_at")


def known(db: Database) -> list[tuple[Any, ...]]:
    with db.read() as session:
        return [tuple(row.values()) for row in session.all("SELECT * FROM known_email ORDER BY email")]


def test_a_transaction_that_raises_saves_nothing(db: Database) -> None:
    with pytest.raises(RuntimeError), db.write() as session:
        session.run("INSERT INTO known_email VALUES ('h', 'e', NULL, 'host', 0)")
        raise RuntimeError
    assert known(db) == []


def test_a_failed_statement_voids_its_transaction_even_if_the_error_is_caught(postgresql: PostgresDatabase) -> None:
    with pytest.raises(StorageError, match="failed"), postgresql.write() as session:
        session.run("INSERT INTO known_email VALUES ('h', 'e', NULL, 'host', 0)")
        with pytest.raises(Exception, match="duplicate"):
            session.run("INSERT INTO known_email VALUES ('h', 'e', NULL, 'host', 0)")
    assert known(postgresql) == []


def test_rows_are_written_one_by_one_many_at_once_and_in_bulk(db: Database) -> None:
    named = "INSERT INTO known_email VALUES (:host, :email, :account, 'host', :at)"
    placed = "INSERT INTO known_email (host, email, source, known_at) VALUES (?, ?, 'host', ?)"
    with db.write() as session:
        assert session.run(named, host="h", email="1", account=None, at=1) == 1
        session.executemany(named, [{"host": "h", "email": n, "account": None, "at": 2.5} for n in "23"])
        session.executemany(placed, (("h", n, 3) for n in "45"))
        session.executemany(placed, [])
        session.copy("known_email", COLUMNS, (("h", n, None, "noreply", 4.5) for n in "67"))
        session.copy("known_email", COLUMNS, [])
    assert known(db) == [
        ("h", "1", None, "host", 1.0),
        *(("h", n, None, "host", 2.5) for n in "23"),
        *(("h", n, None, "host", 3.0) for n in "45"),
        *(("h", n, None, "noreply", 4.5) for n in "67"),
    ]


def test_a_bulk_that_breaks_off_saves_nothing(db: Database) -> None:
    def rows() -> Any:
        yield ("h", "1", None, "host", 0)
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"), db.write() as session:
        session.copy("known_email", COLUMNS, rows())
    assert known(db) == []


ODD = ["%", "%s", "%(name)s", "100 %%", "?", ":name", "{now}", "it's", "\\N", "a\tb\nc\\", '"', "\u00e9\U0001f600", ""]


@pytest.mark.parametrize("text", ODD)
def test_text_stays_what_it_is_in_parameters_literals_and_bulk(db: Database, text: str) -> None:
    literal = text.replace("'", "''")
    with db.write() as session:
        session.copy("known_email", COLUMNS, [(text, "bulk", None, "host", 0)])
        session.run("INSERT INTO known_email VALUES (:t, 'one', NULL, 'host', 0)", t=text)
        assert session.value("SELECT count(*) FROM known_email WHERE host = :t", t=text) == 2
        if text != "{now}":  # which is a token wherever it stands
            assert session.value(f"SELECT email FROM known_email WHERE host = '{literal}' ORDER BY email") == "bulk"


def test_a_query_says_the_same_on_both(db: Database) -> None:
    with db.write() as session:
        assert session.value("SELECT CAST(:n AS BIGINT) % 7 -- it's 100 %, {now}? :no", n=20) == 6
        assert session.value("SELECT 1 WHERE 'a%b' LIKE :p", p="a%") == 1
        assert session.value("SELECT {now}") == pytest.approx(session.value("SELECT {now}"), abs=5)
        assert session.one("SELECT 1 AS one WHERE 1 = :n", n=2) is None
        assert session.all("SELECT 1 AS one WHERE 1 = :n", n=2) == []


def test_sums_are_whole_numbers(db: Database) -> None:
    with db.write() as session:
        session.copy("known_email", COLUMNS, [("h", str(n), None, "host", 2**40) for n in range(3)])
        total = session.value("SELECT SUM(CAST(known_at AS BIGINT)) FROM known_email")
        mean = session.value("SELECT AVG(known_at + 0.5) FROM known_email")
    assert (type(total), total) == (int, 3 * 2**40)
    assert (type(mean), mean) == (float, 2**40 + 0.5)


def test_truth_is_written_and_read(db: Database) -> None:
    with db.write() as session:
        number = session.value(
            """INSERT INTO contributor (host, is_bot, created_at, updated_at) VALUES ('h', :bot, 0, 0) RETURNING id""",
            bot=True,
        )
        assert session.run("UPDATE contributor SET is_bot = NOT is_bot WHERE id = :id AND is_bot", id=number) == 1
        assert not session.value("SELECT is_bot FROM contributor WHERE id = :id", id=number)


def test_a_read_sees_one_moment(db: Database) -> None:
    with db.read() as before:
        assert before.value("SELECT count(*) FROM known_email") == 0
        with db.write() as session:
            session.run("INSERT INTO known_email VALUES ('h', 'e', NULL, 'host', 0)")
        assert before.value("SELECT count(*) FROM known_email") == 0
    assert len(known(db)) == 1


def test_a_database_that_was_closed_is_not_opened_again(db: Database) -> None:
    assert known(db) == []
    db.close()
    with pytest.raises(StorageError, match="has closed its database"), db.write():
        pass


def test_a_locked_row_is_waited_for(db: Database) -> None:
    number = add_repository(db)

    def add_one() -> None:
        for _ in range(25):
            with db.write() as session:
                found = session.value("SELECT total_commits FROM repository WHERE id = :id {for_update}", id=number)
                session.run("UPDATE repository SET total_commits = :n WHERE id = :id", n=(found or 0) + 1, id=number)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(add_one) for _ in range(4)]:
            done.result()
    with db.read() as session:
        assert session.value("SELECT total_commits FROM repository") == 100


def test_missing_tables_are_a_matter_of_migration(db: Database) -> None:
    with pytest.raises(WrongRevision, match="podium migrate"), db.read() as session:
        session.all("SELECT * FROM no_such_table")
    with pytest.raises(WrongRevision, match="podium migrate"), db.read() as session:
        session.all("SELECT no_such_column FROM repository")


# --- PostgreSQL alone


def test_what_is_translated_and_what_is_kept() -> None:
    sql = """SELECT ':no ?%', "a:b", x::text, :yes, ? FROM t -- it's :no {now}\n WHERE a % 2 = :yes {for_update}"""
    assert translated(sql) == (
        """SELECT ':no ?%%', "a:b", x::text, %(yes)s, %s FROM t -- it's :no {now}\n """
        "WHERE a %% 2 = %(yes)s FOR UPDATE"
    )


def test_cut_connections_are_opened_again(postgres: Postgres, migrated: str, postgresql: Database) -> None:
    assert known(postgresql) == []
    postgres.cut_connections(migrated)
    assert known(postgresql) == []
    with pytest.raises(StorageError, match=r"try again|cannot be reached"), postgresql.write() as session:
        session.run("INSERT INTO known_email VALUES ('h', 'e', NULL, 'host', 0)")
        postgres.cut_connections(migrated)
    assert known(postgresql) == []


def test_a_server_that_restarts_is_away_and_then_back() -> None:
    with running_postgres() as server:
        db = PostgresDatabase(server.url(), most=3)
        with db.read() as session:
            assert session.value("SELECT 1") == 1
        for at_once in (False, True):
            server.stop(at_once=at_once)
            with pytest.raises(StorageError, match=r"cannot be reached .*refused") as error, db.read():
                pass
            assert "\n" not in error.value.message
            server.start()
            with db.read() as session:
                assert session.value("SELECT 1") == 1
        db.close()


def test_a_patient_client_waits_for_a_restarting_server() -> None:
    with running_postgres() as server, ThreadPoolExecutor(1) as pool:
        db = PostgresDatabase(server.url(), most=3, patience=30)
        with db.read() as session:
            assert session.value("SELECT 1") == 1
        server.stop(at_once=True)

        def ask() -> int:
            with db.read() as session:
                return int(session.value("SELECT 1"))

        waiting = pool.submit(ask)
        with pytest.raises(TimeoutError):
            waiting.result(1)
        server.start()
        assert waiting.result(30) == 1
        db.close()


def test_a_lasting_error_is_raised_at_once_despite_patience(postgres: Postgres) -> None:
    db = PostgresDatabase(postgres.url("no_such_database"), most=1, patience=3600)
    with pytest.raises(StorageError, match="does not exist"), db.read():
        pass


def test_the_server_ends_what_a_stopped_client_leaves_locked(postgresql: PostgresDatabase) -> None:
    with postgresql.read() as session:
        asked = {
            name: session.value(f"SHOW {name}")
            for name in ("lock_timeout", "idle_in_transaction_session_timeout", "statement_timeout")
        }
    assert asked == {"lock_timeout": "15s", "idle_in_transaction_session_timeout": "1min", "statement_timeout": "2min"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("podium:", "stranger:", "password authentication failed"),
        ("/postgres", "/no_such_database", "does not exist"),
        ("127.0.0.1", "no-such-host.invalid", "no-such-host.invalid"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line_without_a_secret(
    postgres: Postgres, old: str, new: str, words: str
) -> None:
    db = PostgresDatabase(postgres.url().replace(old, new), most=1)
    with pytest.raises(StorageError, match=words) as error, db.read():
        pass
    assert "\n" not in error.value.message
    assert PASSWORD not in str(error.value) and "tests" not in str(error.value)


@pytest.mark.parametrize(
    "rest",
    [
        "u:secret@h:port/db",
        "u:secret/2@h/db",
        "u:p@secret@h/db",
        "u:secret%zz@h/db",
        "u:secret@h/db?secret=1",
        "u:secret@.svc.example/db",
        "u:secret@h,.svc.example/db",
    ],
)
def test_a_url_that_cannot_be_read_is_not_repeated(rest: str) -> None:
    with pytest.raises(BadSetting, match="DATABASE_URL") as error:
        PostgresDatabase(f"postgresql://{rest}", most=1)
    assert "secret" not in str(error.value)
    assert error.value.__suppress_context__


def test_who_wants_a_connection_too_many_waits_for_one(postgres: Postgres) -> None:
    db = PostgresDatabase(postgres.url(), most=2)
    together = threading.Barrier(2)

    def ask(_: int) -> int:
        with db.read() as session:
            together.wait(10)
            return int(session.value("SELECT pg_backend_pid()"))

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(ask, range(6)))) == 2
    db.close()


def test_text_that_postgresql_cannot_hold_is_an_error_and_not_a_lost_connection(postgresql: Database) -> None:
    with pytest.raises(StorageError, match="NUL"), postgresql.write() as session:
        session.run("INSERT INTO known_email VALUES (:h, 'e', NULL, 'host', 0)", h="a\0b")


def test_rows_that_are_asked_for_while_they_are_loaded_are_refused_at_once(postgresql: PostgresDatabase) -> None:
    def rows(session: Session) -> Iterator[tuple[object, ...]]:
        yield "key", session.value("SELECT {now}")

    # Not waited for, as psycopg would without end.
    with pytest.raises(RuntimeError, match="run it before"), postgresql.write() as session:
        session.copy("github_limit", ("key", "held_until"), rows(session))
    with postgresql.read() as session:
        assert session.value("SELECT count(*) FROM github_limit") == 0


def test_a_table_is_analyzed_that_one_transaction_loads_in_parts(postgresql: PostgresDatabase) -> None:
    with postgresql.write() as session:
        for first in range(0, 1200, 400):
            session.copy("github_limit", ("key", "held_until"), ((str(first + n), 0.0) for n in range(400)))
    with postgresql.read() as session:
        assert session.value("SELECT reltuples FROM pg_class WHERE relname = 'github_limit'") == 1200
