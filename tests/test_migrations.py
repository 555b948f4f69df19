"""Migrations: up and down, with data, several at once, and in step with the tables."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text

from podium import bootstrap
from podium.errors import StorageError, WrongRevision
from podium.settings import Settings
from podium.storage import migrate
from podium.storage.session import SqliteDatabase

FIRST_ROWS = (
    "INSERT INTO repository VALUES (1, 'https://github.com/Ada/Engine', 'completed', NULL, 5, 2, 1, 2, 3, 4)",
    "INSERT INTO repository VALUES (2, 'https://github.com/ada/engine', 'processing', NULL, NULL, NULL, 1, 2, 3, 4)",
    "INSERT INTO repository VALUES (3, 'https://git.example/a/b/c.git', 'failed', 'gone', NULL, NULL, 1, 2, 3, 4)",
    "INSERT INTO contributor VALUES (1, 583231, 'octocat', 'Octo', 'Octo@Example.org', 'a', 'p', 1, 2)",
    "INSERT INTO contributor VALUES (2, NULL, 'nobody', 'No', NULL, NULL, NULL, 1, 2)",
    "INSERT INTO repository_contributor VALUES (1, 1, 3)",
    "INSERT INTO repository_contributor VALUES (1, 2, 2)",
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'podium.db'}"


@pytest.fixture
def filled(url: str) -> str:
    """A database of the first revision, with data."""
    migrate.migrate(url, "0001")
    engine = create_engine(url)
    with engine.begin() as connection:
        for row in FIRST_ROWS:
            connection.execute(text(row))
    engine.dispose()
    return url


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def values(connection: Connection, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(text(sql))]


def test_the_newest_revision_is_the_one_that_the_code_names(url: str) -> None:
    assert ScriptDirectory.from_config(migrate.configuration(url)).get_current_head() == migrate.HEAD


def test_an_empty_database_gets_exactly_the_tables_of_the_code(url: str) -> None:
    migrate.migrate(url)
    migrate.check_tables(url)


def test_a_filled_database_of_the_first_revision_keeps_its_data(filled: str, connection: Connection) -> None:
    migrate.migrate(filled)
    migrate.check_tables(filled)
    assert values(connection, "SELECT id, key, host, owner, name, state, total_commits FROM repository") == [
        (1, "github.com/ada/engine", "github.com", "Ada", "Engine", "pending", 5),
        (2, "github.com/ada/engine#2", "github.com", "ada", "engine", "pending", None),
        (3, "git.example/a/b/c", "git.example", "a/b", "c", "failed", None),
    ]
    assert values(connection, "SELECT host, account_id, username FROM contributor") == [
        ("github.com", 583231, "octocat"),
        ("github.com", None, "nobody"),
    ]
    assert values(connection, "SELECT host, email, contributor_id, source FROM known_email") == [
        ("github.com", "octo@example.org", 1, "host")
    ]
    assert values(connection, "SELECT * FROM repository_contributor") == [(1, 1, 3, 0, 0), (1, 2, 2, 0, 0)]


def test_down_again_keeps_what_the_first_revision_knew(filled: str, connection: Connection) -> None:
    migrate.migrate(filled)
    migrate.migrate(filled, "0001")
    assert values(connection, "SELECT id, url, state, total_commits FROM repository") == [
        (1, "https://github.com/Ada/Engine", "pending", 5),
        (2, "https://github.com/ada/engine", "pending", None),
        (3, "https://git.example/a/b/c.git", "failed", None),
    ]
    assert values(connection, "SELECT id, account_id, email FROM contributor") == [
        (1, 583231, "octo@example.org"),
        (2, None, None),
    ]
    assert values(connection, "SELECT repository_id, contributor_id, commit_count FROM repository_contributor") == [
        (1, 1, 3),
        (1, 2, 2),
    ]
    migrate.migrate(filled)
    migrate.check_tables(filled)
    migrate.migrate(filled, "base")
    assert inspect(connection).get_table_names() == ["alembic_version"]


def test_several_that_start_at_once_migrate_once(filled: str, connection: Connection) -> None:
    script = f"from podium.storage import migrate; migrate.migrate({filled!r})"
    started = [subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) for _ in range(3)]
    for process in started:
        _, complaint = process.communicate(timeout=60)
        assert (process.returncode, complaint) == (0, b"")
    migrate.check_tables(filled)
    assert values(connection, "SELECT count(*) FROM repository") == [(3,)]


def test_the_embedded_default_migrates_itself(tmp_path: Path, filled: str) -> None:
    db = bootstrap.open_database(Settings(data_dir=str(tmp_path)))
    migrate.check_revision(db)
    db.close()


def test_a_database_that_somebody_named_is_refused_with_what_to_run(filled: str) -> None:
    with pytest.raises(WrongRevision, match="podium migrate"):
        bootstrap.open_database(Settings(database_url=filled))


def test_a_database_of_a_newer_podium_is_refused(tmp_path: Path, url: str, connection: Connection) -> None:
    migrate.migrate(url)
    connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    connection.commit()
    with pytest.raises(WrongRevision, match="newer Podium"):
        bootstrap.open_database(Settings(data_dir=str(tmp_path)))


def test_a_file_that_is_no_database_is_told_apart_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "podium.db"
    path.write_text("precious notes, and no database\n" * 100)
    with pytest.raises(StorageError, match="restore a backup"):
        bootstrap.open_database(Settings(data_dir=str(tmp_path)))
    assert path.read_text().startswith("precious")


def test_a_data_folder_that_cannot_be_made_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="PODIUM_DATA_DIR"):
        bootstrap.open_database(Settings(data_dir=str(tmp_path / "file" / "data")))


def test_a_transaction_that_raises_saves_nothing(db: SqliteDatabase) -> None:
    with pytest.raises(RuntimeError), db.write() as session:
        session.run("INSERT INTO known_email VALUES ('h', 'e', NULL, 'host', 0)")
        raise RuntimeError
    with db.read() as session:
        assert session.value("SELECT count(*) FROM known_email") == 0
