"""Pictures on disk, bounded in bytes, and the memory of those that could not be had.

One file a picture, named by the digest of its address; several processes may share the folder. A file's modification
time says when the picture was fetched, its access time (set by this module, as many file systems do not) when it was
last used. An empty file stands for a picture that could not be had: its modification time says until when that is
believed.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
import threading
import time
from pathlib import Path

from podium.avatars.image_type import Face, face_of

log = logging.getLogger(__name__)

# What the smallest file takes on disk: a bound on bytes is then one on files too.
_BLOCK = 4096
# Part of the bound that may be written before the folder is measured again.
_SLACK = 0.05
_STALE_PART = 3600.0
_FAILED = ".none"
_PART = ".part"


class Cache:
    """The folder of pictures. Safe to share between threads and processes.

    A disk that cannot be read or written makes it forgetful, and nothing worse.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most = most_bytes
        self._lock = threading.Lock()
        # Unknown yet: the first picture that is saved has the folder measured.
        self._room = 0.0

    def get(self, url: str) -> tuple[Face, float] | None:
        """The picture once fetched from ``url``, and its age in seconds; None where there is none."""
        path = self._path(url)
        try:
            fetched = path.stat().st_mtime
            face = face_of(path.read_bytes())
            os.utime(path, (time.time(), fetched))
        except OSError:
            return None
        return None if face is None else (face, time.time() - fetched)

    def put(self, url: str, face: Face) -> None:
        """Keep a picture; drop those least recently used where the room is spent."""
        path = self._path(url)
        self._write(path, face.data)
        with contextlib.suppress(OSError):
            path.with_suffix(_FAILED).unlink(missing_ok=True)

    def failed(self, url: str, seconds: float) -> None:
        """Remember for so long that there is no picture to be had."""
        path = self._path(url).with_suffix(_FAILED)
        self._write(path, b"", until=time.time() + seconds)

    def has_failed(self, url: str) -> bool:
        """Whether that is still remembered."""
        try:
            return self._path(url).with_suffix(_FAILED).stat().st_mtime > time.time()
        except OSError:
            return False

    def _path(self, url: str) -> Path:
        return self._folder / hashlib.sha256(url.encode()).hexdigest()[:40]

    def _write(self, path: Path, data: bytes, until: float | None = None) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Another process must never read half a picture.
            handle, name = tempfile.mkstemp(suffix=_PART, dir=self._folder)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            # The file system's own clock is coarser than what is told apart here.
            now = time.time()
            os.utime(name, (now, now if until is None else until))
            Path(name).replace(path)
        except OSError as error:
            log.warning("The picture cache %s cannot be written: %s.", self._folder, error.strerror)
            return
        with self._lock:
            self._room -= _size(len(data))
            if self._room < 0:
                self._room = self._most * _SLACK
                self._sweep()

    def _sweep(self) -> None:
        """Delete what is over, and then the least recently used, until what may be written next has room."""
        now = time.time()
        kept: list[tuple[float, int, Path]] = []
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                # Another process may delete a file at the same time.
                with contextlib.suppress(OSError):
                    found = path.stat()
                    over = (path.suffix == _FAILED and found.st_mtime <= now) or (
                        path.suffix == _PART and found.st_mtime <= now - _STALE_PART
                    )
                    if over:
                        path.unlink(missing_ok=True)
                    elif path.suffix != _PART:
                        kept.append((found.st_atime, _size(found.st_size), path))
        spent = sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept):
            if spent <= self._most * (1 - _SLACK):
                break
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            spent -= size


def _size(length: int) -> int:
    return max(1, -(-length // _BLOCK)) * _BLOCK
