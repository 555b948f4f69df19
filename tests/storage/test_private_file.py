"""Who can read an SQLite database."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from podium.app.factories import open_database
from podium.app.operations import migrate_database
from podium.settings import Settings


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that everyone may read."""
    path = tmp_path / "open"
    path.mkdir(mode=0o755)
    return path


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.glob("*.db*")}


def test_a_new_database_is_private_with_its_side_files(folder: Path) -> None:
    db = open_database(Settings(data_dir=str(folder)))
    with db.write() as session:
        session.run("DELETE FROM repository")
    assert modes(folder) == {"podium.db": 0o600, "podium.db-wal": 0o600, "podium.db-shm": 0o600}
    db.close()


def test_a_migrated_database_is_private(folder: Path) -> None:
    migrate_database(Settings(database_url=f"sqlite:///{folder}/my.db"), to="0001", check=False)
    assert set(modes(folder).values()) == {0o600}


def test_a_database_of_an_earlier_version_becomes_private(folder: Path) -> None:
    settings = Settings(data_dir=str(folder))
    open_database(settings).close()
    # Open elsewhere, so that the side files are there.
    other = sqlite3.connect(settings.sqlite_path())
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM repository")
    for path in folder.glob("*.db*"):
        path.chmod(0o644)
    db = open_database(settings)
    assert modes(folder) == {"podium.db": 0o600, "podium.db-wal": 0o600, "podium.db-shm": 0o600}
    # The lock of this process is still held.
    with (
        contextlib.closing(sqlite3.connect(settings.sqlite_path(), timeout=0)) as third,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        third.execute("BEGIN IMMEDIATE")
    other.rollback()
    other.close()
    db.close()
