"""Backup, restore and copy of the configured database."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from podium.app import factories
from podium.app.operations import check_database_exists
from podium.audit import audit_log
from podium.backup import archive
from podium.backup.restore import restore as fill
from podium.backup.restore import rows_of
from podium.errors import BadSetting, OutputError, StorageError
from podium.forgetting.forget_person import sweep
from podium.settings import Settings
from podium.storage import migrate
from podium.storage.session import Database

STANDARD = "-"


def backup(settings: Settings, path: str, *, force: bool) -> dict[str, int]:
    """Write one snapshot of the database to a file, or to standard output; return the rows of each table.

    Raises:
        StorageError: the database cannot be read.
        OutputError: the file cannot be written.
    """
    with _source(settings) as db:
        with _written(path, force=force) as file, db.read() as session:
            counts = archive.write(session, file)
        _note(db, "backup", path)
    return counts


def restore(settings: Settings, path: str, *, force: bool) -> int:
    """Fill the database from a file, or from standard input; return the number of rows.

    Raises:
        BadBackup: the file is damaged, or of another revision; the database is as it was.
        Conflict: the database is in use or not empty.
        StorageError: it cannot be written.
        OutputError: the file cannot be read.
    """
    with _read(path) as file, _target(settings) as db:
        saved = fill(
            db,
            archive.read(file),
            force=force,
            postgres=settings.uses_postgres,
            actor=audit_log.command_line(),
            act="restore",
            subject=_name(path),
        )
        # Readers must not see who was forgotten since. Workers continue if this is interrupted.
        sweep(db, factories.github_host(settings))
    return saved


def copy(settings: Settings, *, force: bool) -> int:
    """Copy one snapshot of the database to that of ``PODIUM_COPY_TO``; return the number of rows.

    Raises:
        BadSetting: ``PODIUM_COPY_TO`` is not set, cannot be read, or is the same database.
        Conflict: the target is in use or not empty.
        StorageError: a database cannot be reached or written.
    """
    if not settings.copy_to:
        raise BadSetting(
            "PODIUM_COPY_TO is not set: set it to the database to fill, such as sqlite:///PATH or "
            "postgresql://USER:PASSWORD@HOST/DATABASE."
        )
    to = dataclasses.replace(settings, database_url=settings.copy_to)
    if _place(to, "PODIUM_COPY_TO") == _place(settings, "DATABASE_URL"):
        raise BadSetting("PODIUM_COPY_TO is the database that would be copied: set it to another one.")
    with _source(settings) as source:
        with _target(to) as target, source.read() as session:
            saved = fill(
                target,
                rows_of(session),
                force=force,
                postgres=to.uses_postgres,
                actor=audit_log.command_line(),
                act="copy",
                subject=f"from {_kind(settings)}",
            )
            sweep(target, factories.github_host(settings))
        _note(source, "copy", f"to {_kind(to)}")
    return saved


@contextlib.contextmanager
def _source(settings: Settings) -> Iterator[Database]:
    check_database_exists(settings)
    with contextlib.closing(factories.connect(settings)) as db:
        migrate.check_own_revision(db)
        yield db


@contextlib.contextmanager
def _target(settings: Settings) -> Iterator[Database]:
    """The database to fill, with its tables."""
    with contextlib.closing(factories.connect(settings)) as db:
        is_new = settings.uses_postgres and migrate.revision(db) is None
    if is_new:
        migrate.migrate(factories.database_url(settings))
    with contextlib.closing(factories.open_database(settings)) as db:
        yield db


@contextlib.contextmanager
def _written(path: str, *, force: bool) -> Iterator[IO[bytes]]:
    if path != STANDARD:
        with archive.new_file(Path(path), replace=force) as file:
            yield file
        return
    if sys.stdout is None or sys.stdout.isatty():
        raise OutputError("Standard output is closed or a terminal: name a file, or send the backup to a program.")
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


@contextlib.contextmanager
def _read(path: str) -> Iterator[IO[bytes]]:
    if path == STANDARD:
        if sys.stdin is None or sys.stdin.isatty():
            raise OutputError("Standard input is closed or a terminal: name the file of a backup, or send it one.")
        yield sys.stdin.buffer
        return
    with contextlib.ExitStack() as opened:
        try:
            file = opened.enter_context(Path(path).open("rb"))
        except OSError as error:
            raise OutputError(f"{path} cannot be read: {error.strerror}.") from error
        yield file


def _note(db: Database, act: str, subject: str) -> None:
    # A standby that is only read from can be saved too.
    with contextlib.suppress(StorageError), db.write() as session:
        audit_log.record(session, audit_log.command_line(), act, _name(subject))


def _name(path: str) -> str:
    return "standard input or output" if path == STANDARD else path


def _kind(settings: Settings) -> str:
    return "PostgreSQL" if settings.uses_postgres else "SQLite"


def _place(settings: Settings, variable: str) -> object:
    """What tells databases apart, without opening them. ``variable`` is the one to name if it cannot be read."""
    if not settings.uses_postgres:
        return settings.sqlite_path().resolve()
    from podium.storage.postgresql.postgres import read_url

    try:
        return read_url(settings.database_url)[1]
    except BadSetting as error:
        raise BadSetting(error.message.replace("DATABASE_URL", variable)) from None
