"""Migrations: bringing a database to the revision that this Podium needs.

Alembic is imported only where there is something to migrate: the check that there is not costs one query.
"""

from __future__ import annotations

import contextlib
import io
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from podium.errors import StorageError, WrongRevision
from podium.storage.session import Database

if TYPE_CHECKING:
    from sqlalchemy import URL

# The newest revision; a test holds it to the scripts.
HEAD = "0008"


def revision(db: Database) -> str | None:
    """The revision of the database; None where it has no tables of Podium's yet.

    Raises:
        StorageError: the database cannot be read.
    """
    with contextlib.suppress(WrongRevision), db.read() as session:
        found: str | None = session.value("SELECT version_num FROM alembic_version")
        return found
    return None


def check_revision(db: Database) -> None:
    """Refuse to work on a database of another revision.

    Raises:
        WrongRevision: it has one; the message says what to run.
        StorageError: the database cannot be read.
    """
    found = revision(db)
    if found is not None and found > HEAD:
        raise WrongRevision(
            f"The database has revision {found}, made by a newer Podium than this (revision {HEAD}): update Podium."
        )
    if found != HEAD:
        raise WrongRevision(
            f"The database has revision {found or 'none'}, this Podium needs {HEAD}: run `podium migrate`."
        )


def configuration(url: str | URL) -> Any:
    """Alembic's configuration for a database."""
    from alembic.config import Config

    # What Alembic says there is said by whoever asked.
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    # Not as an option: Alembic reads those through a format in which % is special.
    config.attributes["url"] = url
    return config


def migrate(url: str | URL, to: str = "head") -> None:
    """Migrate up or down to a revision, ``head`` or ``base``; safe when several start at once.

    Raises:
        StorageError: the database cannot be migrated.
    """
    _run("migrate", url, to)


def _is_below(url: str | URL, to: str) -> bool:
    """Whether ``to`` lies below the revision that the database has."""
    from sqlalchemy import inspect, text

    from podium.storage.migration_engine import migration_engine

    if to in ("base", "head"):
        return to == "base"
    with migration_engine(url).connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    # Revisions are numbered: 0001, 0002, …
    return found is not None and to < found


def check_tables(url: str | URL) -> None:
    """Compare the database with the tables that the code declares.

    Raises:
        StorageError: they differ, or the database is not at the newest revision.
    """
    _run("check", url)


def _run(command: str, url: str | URL, *arguments: str) -> None:
    # Before the import: Alembic tells of each of its plugins while it is imported.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command as commands
    from alembic.util import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        if command == "migrate":
            command = "downgrade" if _is_below(url, *arguments) else "upgrade"
        getattr(commands, command)(configuration(url), *arguments)
    except CommandError as error:
        raise StorageError(f"The database cannot be migrated: {error}") from error
    except SQLAlchemyError as error:
        from podium.storage.migration_engine import reason

        raise StorageError(f"The database cannot be migrated: {reason(url, error)}") from error
