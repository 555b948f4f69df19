"""Images on disk, bounded in bytes, and the failures to fetch one.

One file per image, named by the hash of its URL; several processes may share the folder. A file's modification time is
when the image was fetched. Its access time is when it was last used; this module sets it, because many file systems do
not. An empty ``.none`` file records a failure, and its modification time is when the failure expires.
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

from podium.avatars.image_type import AvatarImage, image_of

log = logging.getLogger(__name__)

# The least that a file takes on disk: a bound on bytes thereby bounds the number of files too.
_BLOCK = 4096
# The share of the bound that may be written before the folder is measured again.
_SLACK = 0.05
_STALE_PART = 3600.0
_FAILED = ".none"
_PART = ".part"


class DiskCache:
    """The folder of images. Safe to share between threads and processes.

    If the disk cannot be read or written, nothing is cached; no error is raised.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        # Bytes that may be written before the folder is measured; the first write measures it.
        self._room = 0.0

    def get(self, url: str) -> tuple[AvatarImage, float] | None:
        """The image fetched from ``url``, and its age in seconds."""
        path = self._path(url)
        try:
            fetched = path.stat().st_mtime
            image = image_of(path.read_bytes())
            os.utime(path, (time.time(), fetched))
        except OSError:
            return None
        return None if image is None else (image, time.time() - fetched)

    def put(self, url: str, image: AvatarImage) -> None:
        """Store an image; delete the least recently used ones if the bound is reached."""
        path = self._path(url)
        self._write(path, image.data)
        with contextlib.suppress(OSError):
            path.with_suffix(_FAILED).unlink(missing_ok=True)

    def put_failure(self, url: str, seconds: float) -> None:
        """Remember for ``seconds`` that ``url`` has no image."""
        path = self._path(url).with_suffix(_FAILED)
        self._write(path, b"", until=time.time() + seconds)

    def has_failed(self, url: str) -> bool:
        """Whether a failure for ``url`` is still remembered."""
        try:
            return self._path(url).with_suffix(_FAILED).stat().st_mtime > time.time()
        except OSError:
            return False

    def _path(self, url: str) -> Path:
        return self._folder / hashlib.sha256(url.encode()).hexdigest()[:40]

    def _write(self, path: Path, data: bytes, until: float | None = None) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Another process must never read a partial image.
            handle, name = tempfile.mkstemp(suffix=_PART, dir=self._folder)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            # The file system's own clock is too coarse to order files by use.
            now = time.time()
            os.utime(name, (now, now if until is None else until))
            Path(name).replace(path)
        except OSError as error:
            log.warning("The avatar cache %s cannot be written: %s.", self._folder, error.strerror)
            return
        with self._lock:
            self._room -= _size(len(data))
            if self._room < 0:
                self._room = self._max_bytes * _SLACK
                self._sweep()

    def _sweep(self) -> None:
        """Delete what has expired, then the least recently used files, until there is room for the next writes."""
        now = time.time()
        kept: list[tuple[float, int, Path]] = []
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                # Another process may delete the file at the same time.
                with contextlib.suppress(OSError):
                    found = path.stat()
                    expired = (path.suffix == _FAILED and found.st_mtime <= now) or (
                        path.suffix == _PART and found.st_mtime <= now - _STALE_PART
                    )
                    if expired:
                        path.unlink(missing_ok=True)
                    elif path.suffix != _PART:
                        kept.append((found.st_atime, _size(found.st_size), path))
        used = sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept):
            if used <= self._max_bytes * (1 - _SLACK):
                break
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            used -= size


def _size(length: int) -> int:
    return max(1, -(-length // _BLOCK)) * _BLOCK
