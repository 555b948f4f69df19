"""Create a SQLite database without Alembic, whose import takes longer than ranking a small repository.

``make schema`` writes ``sqlite.sql`` from the migrations, and a test compares the two.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from pathlib import Path

from podium.storage.session import Database

SCRIPT = Path(__file__).with_name("sqlite.sql")
_SEPARATOR = ";\n\n"


def create(db: Database) -> None:
    """Do nothing if another process has created the tables.

    Raises:
        StorageError: the database cannot be written.
    """
    with db.write() as session:
        if session.value("SELECT count(*) FROM sqlite_master") == 0:
            for statement in SCRIPT.read_text(encoding="utf-8").split(_SEPARATOR):
                session.run(statement)


def dump(path: Path) -> str:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
        statements = [re.sub(r"\s+\n", "\n", sql).strip() for (sql,) in rows]
        stamps = [
            f"INSERT INTO {table} ({column}) VALUES ('{revision}')"
            for table, column in (("compatible_revision", "revision"), ("alembic_version", "version_num"))
            for (revision,) in connection.execute(f"SELECT {column} FROM {table} ORDER BY 1")  # constants
        ]
    return _SEPARATOR.join([*statements, *stamps]) + "\n"


def write() -> None:
    import tempfile

    from podium.storage import migrate

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "podium.db"
        migrate.migrate(f"sqlite:///{path}")
        SCRIPT.write_text(dump(path), encoding="utf-8")


if __name__ == "__main__":
    write()
