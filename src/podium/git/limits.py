"""The limits of one run of git."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from podium.errors import HistoryError, Interrupted
from podium.git.error_messages import GIT_CPU_TIME, shallow_host

# Seconds between two measurements.
_MEASURE_EVERY = 1.0

# Normal is a handful. With git before 2.39.4, a host that calls itself shallow makes each treeless fetch start another
# one, without end.
_MOST_PROGRAMS = 40


class Stop(Protocol):
    def is_set(self) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds and bytes; None: no limit.

    Attributes:
        timeout: for one run of git.
        idle_timeout: for a transfer without progress.
        memory: private memory of each process (Linux only).
        cpu_seconds: CPU time of each process.
        repository_bytes: on disk.
        disk_reserve: what a transfer leaves free on the disk.
    """

    timeout: float | None = None
    idle_timeout: float | None = None
    memory: int | None = None
    cpu_seconds: int | None = None
    repository_bytes: int | None = None
    disk_reserve: int | None = None


class Watch:
    """Raises if git is to be stopped, out of time, or idle (``idle``)."""

    def __init__(self, limits: Limits, stop: Stop | None, *, idle: bool = False) -> None:
        self._limits = limits
        self._stop = stop
        self._idle = limits.idle_timeout if idle else None
        self._begun = self._moved = time.monotonic()

    def moved(self) -> None:
        self._moved = time.monotonic()

    def check(self) -> None:
        """Call it at least every fifth of a second.

        Raises:
            Interrupted: ``stop`` is set.
            HistoryError: the time is over ('too-large'), or the host sends nothing ('interrupted-transfer').
        """
        if self._stop is not None and self._stop.is_set():
            raise Interrupted("The work on the repository was stopped.")
        now = time.monotonic()
        limit = self._limits.timeout
        if limit is not None and now - self._begun > limit:
            raise HistoryError(
                "too-large", f"git took longer than {limit:g} seconds for this repository (PODIUM_GIT_TIMEOUT)."
            )
        if self._idle is not None and now - self._moved > self._idle:
            raise HistoryError(
                "interrupted-transfer",
                f"The host sent nothing for {self._idle:g} seconds: try again.",
                transient=True,
            )


class TransferWatch(Watch):
    def __init__(self, limits: Limits, stop: Stop | None, folder: Path, process: int, ceiling: int | None) -> None:
        super().__init__(limits, stop, idle=True)
        self._folder = folder
        self._process = process
        self._ceiling = ceiling if ceiling is not None else limits.repository_bytes
        self._measured = self._begun
        self._size = 0

    def check(self) -> None:
        """Check as :meth:`Watch.check`.

        Raises:
            HistoryError: also 'too-large' by bytes, 'disk-full' or 'shallow'.
        """
        super().check()
        if time.monotonic() - self._measured > _MEASURE_EVERY:
            self.measure()

    def measure(self) -> None:
        self._measured = time.monotonic()
        size = bytes_on_disk(self._folder)
        if size != self._size:
            self._size = size
            self.moved()
        if self._ceiling is not None and size > self._ceiling:
            raise too_large(self._ceiling)
        reserve = self._limits.disk_reserve
        if reserve is not None and shutil.disk_usage(self._folder).free < reserve:
            raise disk_full()
        if _programs_below(self._process) > _MOST_PROGRAMS:
            raise shallow_host()


def check_cpu_time(status: int) -> None:
    """Raise HistoryError ('too-large') if ``status`` says that git, or a process it started, exceeded its CPU time."""
    if status in (-signal.SIGXCPU, 128 + signal.SIGXCPU):
        raise HistoryError("too-large", GIT_CPU_TIME)


def too_large(limit: int) -> HistoryError:
    return HistoryError(
        "too-large", f"The repository is larger than the {limit} bytes allowed (PODIUM_MAX_REPOSITORY_BYTES)."
    )


def disk_full() -> HistoryError:
    return HistoryError(
        "disk-full",
        "The disk has too little space left for this repository (PODIUM_DISK_RESERVE_BYTES): free some and retry.",
    )


def bytes_on_disk(folder: Path) -> int:
    total, folders = 0, [os.fspath(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        with contextlib.suppress(FileNotFoundError):
                            total += entry.stat(follow_symlinks=False).st_blocks * 512
        # git removes files and folders meanwhile. Another user's cannot be measured.
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue
    return total


def _programs_below(process: int) -> int:
    """Count the descendants of ``process`` (Linux only)."""
    if sys.platform != "linux":
        return 0
    waiting, found = [str(process)], 0
    while waiting and found <= _MOST_PROGRAMS:
        parent = waiting.pop()
        try:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        except OSError:
            continue
        found += len(children)
        waiting += children
    return found
