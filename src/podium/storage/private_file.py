"""A database file that only its owner can read, whatever the folder and the umask."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

# SQLite gives its side files the mode of the database; those of an earlier version may be open to others.
_SIDE_FILES = ("", "-wal", "-shm", "-journal")

_creating = threading.Lock()


def make_private(path: Path) -> None:
    """Create the database file with mode 0600, or take other users' access to an existing one away.

    Errors are left to SQLite, whose messages name the file. The mode of another user's file stays.
    """
    with contextlib.suppress(OSError), _creating:
        try:
            # An existing file is never opened here: closing it would release the locks of this process on it
            # (https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_).
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            for suffix in _SIDE_FILES:
                _restrict(path.with_name(path.name + suffix))


def _restrict(path: Path) -> None:
    with contextlib.suppress(OSError):
        mode = path.stat().st_mode
        if mode & 0o077:
            path.chmod(mode & 0o700)
