"""The file of a backup: gzip of JSON lines, written and read as a stream.

The first line is the header. An object with ``table`` and ``columns`` begins a table, and each of its rows is an array.
The last line has the number of rows of each table and the SHA-256 of all lines before it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gzip
import hashlib
import json
import os
import stat
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from podium import __version__
from podium.backup.carried_tables import CarriedTable, carried_tables
from podium.backup.snapshot import batches
from podium.errors import BadBackup, OutputError
from podium.storage import migrate
from podium.storage.session import Session
from podium.timeutil import iso_time

FORMAT = "podium-backup"
FORMAT_VERSION = 1
# Bytes. The largest rows are segments of the commit log, whose columns are compressed.
LONGEST_LINE = 128 << 20

_COMPRESSION = 4


@contextlib.contextmanager
def new_file(path: Path, *, replace: bool) -> Iterator[IO[bytes]]:
    """A file that has its name when it is complete. Only its owner may read it.

    Raises:
        OutputError: it exists and may not be replaced, is a folder or a device, or it cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            raise OutputError(f"{path} is not a file: give the name of one, such as podium.gz.")
        if path.exists() and not replace:
            raise OutputError(f"{path} exists: choose another name, or replace it with --force.")
        part = path.with_name(f"{path.name}.part")
        with os.fdopen(_locked(part), "wb") as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise _not_written(path, error) from error


def _locked(part: Path) -> int:
    """Create and lock the file, or take over the one that a killed backup has left.

    Other users may be able to write to its folder: no link is followed, and no file of another user is written.

    Raises:
        OutputError, OSError: it cannot be used.
    """
    while True:
        try:
            number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _of_others(part) from None
            raise
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(part, number):
                os.fchmod(number, 0o600)
                os.ftruncate(number, 0)
                return number
        except BlockingIOError:
            os.close(number)
            raise OutputError(f"Another backup is being written to {part}: wait for its end.") from None
        except BaseException:
            os.close(number)
            raise
        os.close(number)


def _is_still(part: Path, number: int) -> bool:
    """Whether an open file has this name; its last holder may have renamed or deleted it.

    Raises:
        OutputError: it is another user's, or no plain file.
    """
    opened = os.fstat(number)
    try:
        named = part.lstat()
    except FileNotFoundError:
        return False
    if (named.st_dev, named.st_ino) != (opened.st_dev, opened.st_ino):
        return False
    if not stat.S_ISREG(opened.st_mode) or opened.st_uid != os.geteuid() or opened.st_nlink != 1:
        raise _of_others(part)
    return True


def _of_others(part: Path) -> OutputError:
    return OutputError(f"{part} is a link, or a file of another user: delete it, or choose another name.")


def _not_written(path: Path, error: OSError) -> OutputError:
    reason = "its folder does not exist" if error.errno == errno.ENOENT else error.strerror or str(error)
    return OutputError(f"{path} cannot be written ({reason}): nothing was saved there.")


def write(session: Session, file: IO[bytes]) -> dict[str, int]:
    """Write what ``session`` sees, and return the number of rows of each table."""
    digest = hashlib.sha256()
    counts: dict[str, int] = {}
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=_COMPRESSION) as archive:

        def add(*values: object) -> None:
            data = b"".join(_line(value) for value in values)
            digest.update(data)
            archive.write(data)

        add(_header())
        for table in carried_tables():
            add({"table": table.name, "columns": list(table.names)})
            counts[table.name] = 0
            for rows in batches(session, table):
                add(*map(table.to_json, rows))
                counts[table.name] += len(rows)
        archive.write(_line({"rows": counts, "sha256": digest.hexdigest()}))
    return counts


def _header() -> dict[str, object]:
    return {
        "format": FORMAT,
        "formatVersion": FORMAT_VERSION,
        "revision": migrate.HEAD,
        "podium": __version__,
        "createdAt": iso_time(time.time()),
    }


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def read(file: IO[bytes]) -> Iterator[tuple[CarriedTable, list[Any]]]:
    """The rows of a file, each with its table, in the order of :func:`carried_tables`.

    Raises:
        BadBackup: the file is none of this revision, or it is damaged. Rows before that must not be kept: the sum
            comes last.
    """
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as archive:
            yield from _rows(archive)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadBackup(f"The backup is damaged, or it is not a Podium backup ({error}).") from error


def _rows(archive: gzip.GzipFile) -> Iterator[tuple[CarriedTable, list[Any]]]:
    digest = hashlib.sha256()
    counts: dict[str, int] = {}
    tables = iter(carried_tables())
    table: CarriedTable | None = None
    number = 0
    while line := archive.readline(LONGEST_LINE + 1):
        number += 1
        value = _parsed(line, number)
        if number == 1:
            _check_header(value)
        elif isinstance(value, list) and table is not None:
            try:
                row = table.from_json(value)
            except ValueError as error:
                raise _damaged(number, str(error)) from None
            counts[table.name] += 1
            yield table, row
        elif isinstance(value, dict) and "table" in value:
            table = next(tables, None)
            if table is None or value != {"table": table.name, "columns": list(table.names)}:
                raise _damaged(number, "has another table or other columns than this Podium")
            counts[table.name] = 0
        else:
            if next(tables, None) or value != {"rows": counts, "sha256": digest.hexdigest()} or archive.read(1):
                raise _damaged(number, "does not agree with the lines before or after it")
            return
        digest.update(line)
    raise BadBackup("The backup is damaged: its end is missing.")


def _parsed(line: bytes, number: int) -> object:
    if len(line) > LONGEST_LINE:
        raise _damaged(number, f"is longer than {LONGEST_LINE:,} bytes")
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        if number == 1:
            raise BadBackup("The file is not a Podium backup.") from None
        raise _damaged(number, "is not JSON") from None
    return value


def _check_header(value: object) -> None:
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise BadBackup("The file is not a Podium backup.")
    if value.get("formatVersion") != FORMAT_VERSION:
        raise BadBackup("A newer Podium made this backup: update Podium, then restore it.")
    revision = value.get("revision")
    if revision == migrate.HEAD:
        return
    if isinstance(revision, str) and migrate.is_older(revision):
        made_by = str(value.get("podium"))[:40]
        raise BadBackup(
            f"The backup has revision {revision} of Podium {made_by}, this Podium needs {migrate.HEAD}: restore it "
            "into an empty database with that version, then run `podium migrate` with this one."
        )
    raise BadBackup(
        f"The backup has a revision that this Podium ({migrate.HEAD}) does not know: a newer one made it. "
        "Update Podium, then restore it."
    )


def _damaged(number: int, what: str) -> BadBackup:
    return BadBackup(f"The backup is damaged: line {number:,} {what}.")
