"""A SQLite database with all tables. A new one is a copy: to create the tables takes twenty times as long."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from sqlalchemy import create_engine

from podium.storage.sqlite import SqliteDatabase
from podium.storage.tables import metadata


def open_or_create(path: Path) -> SqliteDatabase:
    """The caller closes it."""
    if not path.exists():
        path.write_bytes(_content())
    return SqliteDatabase(path)


@functools.cache
def _content() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "podium.db"
        engine = create_engine(f"sqlite:///{path}")
        metadata.create_all(engine)
        with engine.connect() as connection:
            # As Podium's connections want it: each new database would be written, and wait for the disk, for it.
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        engine.dispose()
        return path.read_bytes()
