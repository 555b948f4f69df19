"""A new SQLite database, made by one script instead of by every migration in turn.

Alembic and what it imports take longer than ranking a small repository does. So what the migrations make of an empty
file is kept beside this module as ``sqlite.sql``, which ``make schema`` writes and a test compares with the migrations.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from podium.storage.session import Database

SCRIPT = Path(__file__).with_name("sqlite.sql")
_BETWEEN = ";\n\n"


def create(db: Database) -> None:
    """Make all tables in an empty SQLite database; where another process has made them meanwhile, nothing.

    Raises:
        StorageError: the database cannot be written.
    """
    with db.write() as session:
        if session.value("SELECT count(*) FROM sqlite_master") == 0:
            for statement in SCRIPT.read_text(encoding="utf-8").split(_BETWEEN):
                session.run(statement)


def described(path: Path) -> str:
    """The script that makes a SQLite database such as the one at ``path``, without its rows but with its revision."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        made = [
            sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
        ]
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return _BETWEEN.join([*made, f"INSERT INTO alembic_version (version_num) VALUES ('{revision}')"]) + "\n"


def write() -> None:
    """Write the script anew, from the migrations."""
    import tempfile

    from podium.storage import migrate

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "podium.db"
        migrate.migrate(f"sqlite:///{path}")
        SCRIPT.write_text(described(path), encoding="utf-8")


if __name__ == "__main__":
    write()
