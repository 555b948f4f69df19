"""The files of ``--output``: checked before a count, and replaced as a whole after it."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from podium.errors import OutputError

FORMATS = {".csv": "csv", ".json": "json", ".md": "markdown", ".svg": "svg"}


def format_of(path: str) -> str | None:
    """The format that the extension names; None for another extension."""
    return FORMATS.get(Path(path).suffix.lower())


def check_writable(path: Path) -> None:
    """Try what :func:`write` will do.

    Raises:
        OutputError: the file cannot be written.
    """
    with _explained(path):
        target = _target(path)
        if _is_replaced(target):
            # Not os.access: it does not know about quotas, read-only file systems and access lists.
            with _new_file_beside(target, 0o600):
                pass


def write(path: Path, text: str) -> None:
    """Write a file, or leave it as it was.

    An existing file keeps its permissions. A symbolic link stays, and the file that it names is replaced. A pipe or
    device is written to.

    Raises:
        OutputError: the file cannot be written.
    """
    content = text.encode()
    with _explained(path):
        target = _target(path)
        if _is_replaced(target):
            _replace(target, content)
        else:
            target.write_bytes(content)


def _target(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _is_replaced(target: Path) -> bool:
    """Whether it is a file, or will be one; raise OSError if it may not be written."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return True
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not os.access(target, os.W_OK):
        # A folder's permissions alone would let us replace it.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return stat.S_ISREG(mode)


def _replace(target: Path, content: bytes) -> None:
    try:
        old = target.stat()
    except FileNotFoundError:
        old = None
    # A new file's permissions are those of the umask.
    with _new_file_beside(target, 0o666 if old is None else stat.S_IMODE(old.st_mode)) as (file, name):
        written = 0
        while written < len(content):
            written += os.write(file, content[written:])
        if old is not None:
            # Only an administrator, or a member of the group, can keep another owner.
            with contextlib.suppress(OSError):
                os.fchown(file, old.st_uid, old.st_gid)
            os.fchmod(file, stat.S_IMODE(old.st_mode))
        os.fsync(file)
        name.replace(target)


@contextlib.contextmanager
def _new_file_beside(target: Path, mode: int) -> Iterator[tuple[int, Path]]:
    """A new file in the folder of ``target``, deleted unless it was renamed."""
    name = target.with_name(f".podium-{os.urandom(8).hex()}")
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        yield file, name
    finally:
        os.close(file)
        name.unlink(missing_ok=True)


def _reason(path: Path, error: OSError) -> str:
    match error.errno:
        case errno.ENOENT if _target(path).parent.is_dir():
            # Such as /proc.
            return "its folder takes no new files"
        case errno.ENOENT:
            return "its folder does not exist"
        case errno.ENOTDIR:
            return "a file stands in place of its folder"
        case errno.EISDIR:
            return "it is a folder"
    return error.strerror or str(error)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"The file {path} cannot be written ({_reason(path, error)}): choose another file, or fix the cause."
        ) from error
