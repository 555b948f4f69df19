"""The machine: git, and the disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from podium.cli.doctor.findings import Finding, ok, problem, warning
from podium.errors import HistoryError
from podium.git import version
from podium.git.command import Git
from podium.git.limits import Limits, bytes_on_disk
from podium.settings import Settings


def git(settings: Settings) -> Iterator[Finding]:
    """Whether there is one, and one that is new enough."""
    try:
        answer = Git.for_server(Limits(timeout=10), search_path=settings.search_path).run("version", folder=Path("/"))
    except HistoryError as error:
        yield problem("git", error.message, "Install git, 2.45.1 or newer, into a folder on PATH.")
        return
    text = answer.output.decode(errors="replace").strip()
    found = version.parse(text)
    if found is None:
        said = text or answer.errors.decode(errors="replace").strip()
        yield problem(
            "git", f"`git version` says {said[:100]!r}.", "Install git, 2.45.1 or newer, into a folder on PATH."
        )
        return
    number = ".".join(map(str, found))
    if version.is_too_old(found):
        oldest = ".".join(map(str, version.OLDEST[:2]))
        yield problem(
            "git",
            f"{number} looks a host's name up again after Podium has checked where it leads; {oldest} does not.",
            "Update git before strangers can submit addresses: 2.45.1 or newer.",
        )
    elif version.fetches_lazily(found):
        yield warning(
            "git",
            f"{number} can be made to go to the network in the middle of a count, and to start itself again and again.",
            "Update git: 2.45.1 or newer, or a distribution's with the fixes of May 2024 (2.39.4).",
        )
    else:
        yield ok("git", number)


def disk(settings: Settings) -> Iterator[Finding]:
    """Whether the data folder can be written, and has room."""
    folder = settings.data_folder()
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        yield problem(
            "disk",
            f"Nothing can be written to {there} ({error.strerror}).",
            f"Give this user the right to write there, or set PODIUM_DATA_DIR (it is {folder} now).",
        )
        return
    free = shutil.disk_usage(there).free
    files = os.statvfs(there)
    mirrors = bytes_on_disk(folder / "mirrors")
    told = f"{_size(free)} free for {folder}, the mirrors have {_size(mirrors)}"
    if free < settings.disk_reserve_bytes:
        yield problem(
            "disk",
            f"{told}; each clone waits for {_size(settings.disk_reserve_bytes)} (PODIUM_DISK_RESERVE_BYTES).",
            "Free some space: any mirror may be deleted while no worker runs.",
        )
    elif files.f_files and files.f_favail < 10_000:
        yield problem("disk", f"Only {files.f_favail} more files fit on the disk of {folder}.", "Delete files there.")
    elif free + mirrors < settings.mirror_cache_bytes + settings.disk_reserve_bytes:
        yield warning(
            "disk",
            f"{told}; they may grow to {_size(settings.mirror_cache_bytes)} (PODIUM_MIRROR_CACHE_BYTES).",
            "Lower PODIUM_MIRROR_CACHE_BYTES to what the disk has, or clones will wait for others to be evicted.",
        )
    else:
        yield ok("disk", told)


def _size(number: int) -> str:
    """Bytes as people read them, by the units that the settings take."""
    size = float(number)
    for unit in ("", "K", "M", "G"):
        if size < 1000:
            return f"{size:.3g}{unit}"
        size /= 1000
    return f"{size:.3g}T"
