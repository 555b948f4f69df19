"""What each kind of process checks before it calls itself ready."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from podium.app import factories
from podium.errors import StorageError, WrongRevision
from podium.git import version
from podium.git.limits import bytes_on_disk
from podium.jobs.messages.broker import Backend
from podium.monitoring.readiness import Check, Readiness, Stops
from podium.repositories.store import queries
from podium.settings import Settings
from podium.storage.migrate import check_revision
from podium.storage.session import Database
from podium.storage.transactions.time_limits import QUICK
from podium.workers import heartbeat

# A full disk may still have room for an empty file.
_WRITTEN = 64 * 1024


@contextlib.contextmanager
def of_server(
    settings: Settings, check_queue: Callable[[], None], check_tokens: Callable[[], str | None], *, workers: bool
) -> Iterator[Readiness]:
    """What ``podium serve`` needs.

    Args:
        check_queue: raises a ``PodiumError`` if messages cannot be sent, or its own workers do not run.
        check_tokens: returns a message if GitHub refuses a token.
        workers: whether it has workers.
    """
    # Without PostgreSQL the database is in the data folder. Otherwise only avatars are.
    needs_disk = Stops.NOTHING if settings.uses_postgres else Stops.WORK
    with _probed_database(settings) as db:
        yield Readiness(
            [
                *database_checks(db),
                Check("queue", "The queue cannot be used", Stops.WORK, check_queue),
                Check("token", "GitHub refuses a token", Stops.NOTHING, check_tokens),
                *(counting_checks(settings) if workers else [disk_check(settings, needs_disk)]),
            ]
        )


@contextlib.contextmanager
def of_worker(
    settings: Settings, backend: Backend, check_processes: Callable[[], None], *, counts: bool
) -> Iterator[Readiness]:
    """What ``podium worker`` needs.

    Args:
        check_processes: raises a ``PodiumError`` if no process works.
        counts: whether it counts repositories.
    """
    with _probed_database(settings) as db:
        yield Readiness(
            [
                Check("workers", "No worker process runs", Stops.WORK, check_processes),
                *database_checks(db),
                Check("queue", "The queue cannot be used", Stops.WORK, backend.check),
                *(counting_checks(settings) if counts else []),
            ]
        )


@contextlib.contextmanager
def _probed_database(settings: Settings) -> Iterator[Database]:
    """With connections of its own: a process whose connections are all in use is busy, and its database is not away."""
    with contextlib.closing(factories.connect(dataclasses.replace(settings, database_connections=3))) as db:
        yield db


def database_checks(db: Database) -> list[Check]:
    def read() -> None:
        with db.read(QUICK) as session:
            queries.check_readable(session)

    def refused() -> None:
        try:
            check_revision(db)
        except WrongRevision:
            raise
        except StorageError:
            # The first check says so.
            return

    return [
        Check("database", "The database cannot be read", Stops.READS, read),
        Check("database-write", "The database cannot be written", Stops.WORK, lambda: heartbeat.check_writable(db)),
        Check("revision", "The database has a revision that this version cannot use", Stops.READS, refused),
        Check("newer-revision", "The database belongs to a newer version", Stops.NOTHING, lambda: _newer(db)),
    ]


def _newer(db: Database) -> str | None:
    try:
        return check_revision(db)
    except StorageError:
        # The other checks say so.
        return None


def counting_checks(settings: Settings) -> list[Check]:
    """What a process needs that counts repositories."""
    return [
        disk_check(settings, Stops.WORK, clones=True),
        Check("git", "git cannot be used", Stops.WORK, lambda: version.fault(settings.search_path)),
    ]


def disk_check(settings: Settings, stops: Stops, *, clones: bool = False) -> Check:
    """``clones``: whether there must be room for them."""
    return Check("disk", "The data folder cannot be used", stops, lambda: _disk_fault(settings, clones=clones))


def _disk_fault(settings: Settings, *, clones: bool) -> str | None:
    folder = settings.data_folder()
    # It is created by whatever needs it first.
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=there, buffering=0) as file:
            written = file.write(bytes(_WRITTEN))
        if written < _WRITTEN:
            return f"The disk of {there} is full: free some space."
        return _space_fault(settings, there) if clones else None
    except OSError as error:
        return f"Nothing can be written to {there} ({error.strerror}): free some space, or give this user access to it."


def _space_fault(settings: Settings, folder: Path) -> str | None:
    reserve = settings.disk_reserve_bytes
    free = shutil.disk_usage(folder).free
    # A clone first removes mirrors that are not in use.
    if free >= reserve or free + bytes_on_disk(folder / "mirrors") >= reserve:
        return None
    return (
        f"The disk of {folder} has {free:,} bytes free, and each clone needs {reserve:,} (PODIUM_DISK_RESERVE_BYTES): "
        "free some space."
    )
