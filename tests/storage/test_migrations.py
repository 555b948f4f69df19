"""Migrations: up and down, with data, several at once, and in step with the tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from podium.app import factories
from podium.errors import StorageError, WrongRevision
from podium.settings import Settings
from podium.storage import migrate, sqlite_schema
from podium.storage.migration_engine import migration_engine
from podium.storage.sqlite import SqliteDatabase
from tests.support.postgres import Postgres

FIRST_ROWS = (
    "INSERT INTO repository VALUES (1, 'https://github.com/Ada/Engine', 'completed', NULL, 5, 2, 1, 2, 3, 4)",
    "INSERT INTO repository VALUES (2, 'https://github.com/ada/engine', 'processing', NULL, NULL, NULL, 1, 2, 3, 4)",
    "INSERT INTO repository VALUES (3, 'https://git.example/a/b/c.git', 'failed', 'gone', NULL, NULL, 1, 2, 3, 4)",
    "INSERT INTO contributor VALUES (1, 583231, 'octocat', 'Octo', 'Octo@Example.org', 'a', 'p', 1, 2)",
    "INSERT INTO contributor VALUES (2, NULL, 'nobody', 'No', NULL, NULL, NULL, 1, 2)",
    "INSERT INTO repository_contributor VALUES (1, 1, 3)",
    "INSERT INTO repository_contributor VALUES (1, 2, 2)",
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'podium.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.url(server.create())


@pytest.fixture
def filled(url: str) -> str:
    """A database of the first revision, with data."""
    return fill(url)


def fill(url: str) -> str:
    migrate.migrate(url, "0001")
    with migration_engine(url).begin() as connection:
        for row in FIRST_ROWS:
            connection.execute(text(row))
    return url


def values(url: str, sql: str) -> list[tuple[object, ...]]:
    with migration_engine(url).begin() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_the_newest_revision_is_the_one_that_the_code_names(url: str) -> None:
    assert ScriptDirectory.from_config(migrate.configuration(url)).get_current_head() == migrate.HEAD


def test_an_empty_database_gets_exactly_the_tables_of_the_code(url: str) -> None:
    migrate.migrate(url)
    migrate.check_tables(url)


def test_a_new_sqlite_database_is_what_the_migrations_make(tmp_path: Path) -> None:
    migrate.migrate(f"sqlite:///{tmp_path / 'migrated.db'}")
    assert sqlite_schema.SCRIPT.read_text() == sqlite_schema.described(tmp_path / "migrated.db"), "run `make schema`"
    db = SqliteDatabase(tmp_path / "new.db")
    sqlite_schema.create(db)
    sqlite_schema.create(db)
    migrate.check_revision(db)
    db.close()
    assert sqlite_schema.described(tmp_path / "new.db") == sqlite_schema.described(tmp_path / "migrated.db")
    migrate.check_tables(f"sqlite:///{tmp_path / 'new.db'}")


def test_a_filled_database_of_the_first_revision_keeps_its_data(filled: str) -> None:
    migrate.migrate(filled)
    migrate.check_tables(filled)
    assert values(filled, "SELECT id, key, host, owner, name, state, total_commits FROM repository ORDER BY id") == [
        (1, "github.com/ada/engine", "github.com", "Ada", "Engine", "pending", 5),
        (2, "github.com/ada/engine#2", "github.com", "ada", "engine", "pending", None),
        (3, "git.example/a/b/c", "git.example", "a/b", "c", "failed", None),
    ]
    assert values(filled, "SELECT host, account_id, username FROM contributor ORDER BY id") == [
        ("github.com", 583231, "octocat"),
        ("github.com", None, "nobody"),
    ]
    assert values(filled, "SELECT host, email, contributor_id, source FROM known_email") == [
        ("github.com", "octo@example.org", 1, "host")
    ]
    assert values(filled, "SELECT * FROM repository_contributor") == [(1, 1, 3, 0, 0), (1, 2, 2, 0, 0)]


def test_down_again_keeps_what_the_first_revision_knew(filled: str) -> None:
    migrate.migrate(filled)
    migrate.migrate(filled, "0001")
    assert values(filled, "SELECT id, url, state, total_commits FROM repository ORDER BY id") == [
        (1, "https://github.com/Ada/Engine", "pending", 5),
        (2, "https://github.com/ada/engine", "pending", None),
        (3, "https://git.example/a/b/c.git", "failed", None),
    ]
    assert values(filled, "SELECT id, account_id, email FROM contributor ORDER BY id") == [
        (1, 583231, "octo@example.org"),
        (2, None, None),
    ]
    assert values(filled, "SELECT repository_id, contributor_id, commit_count FROM repository_contributor") == [
        (1, 1, 3),
        (1, 2, 2),
    ]
    migrate.migrate(filled)
    migrate.check_tables(filled)
    migrate.migrate(filled, "base")
    with migration_engine(filled).begin() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]


def test_several_that_start_at_once_migrate_once(filled: str) -> None:
    script = f"from podium.storage import migrate; migrate.migrate({filled!r})"
    started = [subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) for _ in range(3)]
    for process in started:
        _, complaint = process.communicate(timeout=60)
        assert (process.returncode, complaint) == (0, b"")
    migrate.check_tables(filled)
    assert values(filled, "SELECT count(*) FROM repository") == [(3,)]


def test_the_embedded_default_migrates_itself(tmp_path: Path) -> None:
    fill(f"sqlite:///{tmp_path / 'podium.db'}")
    db = factories.open_database(Settings(data_dir=str(tmp_path)))
    migrate.check_revision(db)
    db.close()


def test_a_database_that_somebody_named_is_refused_with_what_to_run(tmp_path: Path, filled: str) -> None:
    with pytest.raises(WrongRevision, match="podium migrate"):
        factories.open_database(Settings(data_dir=str(tmp_path), database_url=filled))


def test_an_empty_postgresql_database_may_be_the_wrong_one_and_is_left_alone(
    tmp_path: Path, postgres: Postgres
) -> None:
    url = postgres.url(postgres.create())
    with pytest.raises(WrongRevision, match="podium migrate"):
        factories.open_database(Settings(data_dir=str(tmp_path), database_url=url))
    with migration_engine(url).begin() as connection:
        assert inspect(connection).get_table_names() == []


def test_a_database_of_a_newer_podium_is_refused(tmp_path: Path, url: str) -> None:
    migrate.migrate(url)
    with migration_engine(url).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(WrongRevision, match="newer Podium"):
        factories.open_database(Settings(data_dir=str(tmp_path), database_url=url))


def test_a_database_that_cannot_be_reached_is_one_line_without_the_password(postgres: Postgres) -> None:
    wrong = postgres.url().replace(str(postgres.port), "1")
    with pytest.raises(StorageError, match=r"cannot be reached.*refused") as error:
        migrate.migrate(wrong)
    assert "\n" not in error.value.message
    assert "tests" not in error.value.message


def test_a_file_that_is_no_database_is_told_apart_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "podium.db"
    path.write_text("precious notes, and no database\n" * 100)
    with pytest.raises(StorageError, match="restore a backup"):
        factories.open_database(Settings(data_dir=str(tmp_path)))
    assert path.read_text().startswith("precious")


def test_a_data_folder_that_cannot_be_made_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="PODIUM_DATA_DIR"):
        factories.open_database(Settings(data_dir=str(tmp_path / "file" / "data")))
