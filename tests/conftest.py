"""What most tests need: a database of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from podium.storage.session import SqliteDatabase
from podium.storage.tables import metadata


@pytest.fixture
def db(tmp_path: Path) -> Iterator[SqliteDatabase]:
    """An empty database with all tables."""
    path = tmp_path / "podium.db"
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    database = SqliteDatabase(path)
    yield database
    database.close()
