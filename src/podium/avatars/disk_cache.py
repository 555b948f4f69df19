"""Images on disk, bounded in bytes, and failures.

One file per image, named by the hash of its URL. Its modification time is the fetch, its access time the last use (set
here, because many file systems do not). An empty ``.none`` file is a failure; its modification time is its expiry.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
import threading
import time
from collections.abc import Collection, Iterable
from pathlib import Path

from podium.avatars.image_type import AvatarImage, image_of

log = logging.getLogger(__name__)

# The least that a file takes on disk, so that the number of files is bounded too.
_BLOCK = 4096
_SLACK = 0.05
_STALE_PART = 3600.0
_FAILED = ".none"
_PART = ".part"


class DiskCache:
    """Safe to share between threads and processes. Without a usable disk, nothing is cached."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        # Bytes until the next sweep; the first write sweeps.
        self._room = 0.0

    def get(self, url: str) -> tuple[AvatarImage, float] | None:
        """The image fetched from ``url``, and its age in seconds."""
        try:
            with self._path(url).open("rb") as file:
                # Not by its name, which may be a newer image's by now.
                handle = file.fileno()
                fetched = os.fstat(handle).st_mtime
                image = image_of(file.read())
                os.utime(handle, (time.time(), fetched))
        except OSError:
            return None
        return None if image is None else (image, time.time() - fetched)

    def put(self, url: str, image: AvatarImage) -> None:
        path = self._path(url)
        self._write(path, image.data)
        with contextlib.suppress(OSError):
            path.with_suffix(_FAILED).unlink(missing_ok=True)

    def put_failure(self, url: str, seconds: float) -> None:
        path = self._path(url).with_suffix(_FAILED)
        self._write(path, b"", until=time.time() + seconds)

    def has_failed(self, url: str) -> bool:
        try:
            return self._path(url).with_suffix(_FAILED).stat().st_mtime > time.time()
        except OSError:
            return False

    def drop(self, urls: Collection[str]) -> None:
        for url in urls:
            for path in (self._path(url), self._path(url).with_suffix(_FAILED)):
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)

    def drop_others(self, urls: Iterable[str], *, age: float) -> int:
        """Delete the pictures of other addresses that were fetched ``age`` seconds ago or earlier; return how many."""
        kept = {self._path(url).name for url in urls}
        before = time.time() - age
        dropped = 0
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                with contextlib.suppress(OSError):
                    if path.suffix == "" and path.name not in kept and path.stat().st_mtime <= before:
                        path.unlink(missing_ok=True)
                        dropped += 1
        return dropped

    def _path(self, url: str) -> Path:
        return self._folder / hashlib.sha256(url.encode()).hexdigest()[:40]

    def _write(self, path: Path, data: bytes, until: float | None = None) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Never expose a partial image.
            handle, name = tempfile.mkstemp(suffix=_PART, dir=self._folder)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            # The file system's clock is too coarse.
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
        now = time.time()
        kept: list[tuple[float, int, Path]] = []
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
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
