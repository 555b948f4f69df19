"""Check the machine: git, and the disk."""

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
    try:
        answer = Git.for_server(Limits(timeout=10), search_path=settings.search_path).run("version", folder=Path("/"))
    except HistoryError as error:
        yield problem("git", error.message, "Install git, 2.45.1 or newer, into a folder on PATH.")
        return
    text = answer.output.decode(errors="replace").strip()
    found = version.parse(text)
    if found is None:
        shown = text or answer.errors.decode(errors="replace").strip()
        yield problem(
            "git", f"`git version` says {shown[:100]!r}.", "Install git, 2.45.1 or newer, into a folder on PATH."
        )
        return
    number = ".".join(map(str, found))
    if version.is_too_old(found):
        oldest = ".".join(map(str, version.OLDEST[:2]))
        yield problem(
            "git",
            f"{number} resolves a host's name again after Podium has checked its address; {oldest} does not.",
            "Update git before strangers can submit addresses: 2.45.1 or newer.",
        )
    elif version.fetches_lazily(found):
        yield warning(
            "git",
            f"A host can make {number} fetch in the middle of a count, and start itself without end.",
            "Update git: 2.45.1 or newer, or a distribution's with the fixes of May 2024 (2.39.4).",
        )
    else:
        yield ok("git", number)


def disk(settings: Settings) -> Iterator[Finding]:
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
    summary = f"{_size(free)} free for {folder}, the mirrors have {_size(mirrors)}"
    if free < settings.disk_reserve_bytes:
        yield problem(
            "disk",
            f"{summary}; each clone needs {_size(settings.disk_reserve_bytes)} (PODIUM_DISK_RESERVE_BYTES).",
            "Free some space: any mirror may be deleted while no worker runs.",
        )
    elif files.f_files and files.f_favail < 10_000:
        yield problem("disk", f"Only {files.f_favail} more files fit on the disk of {folder}.", "Delete files there.")
    elif free + mirrors < settings.mirror_cache_bytes + settings.disk_reserve_bytes:
        yield warning(
            "disk",
            f"{summary}; they may grow to {_size(settings.mirror_cache_bytes)} (PODIUM_MIRROR_CACHE_BYTES).",
            "Lower PODIUM_MIRROR_CACHE_BYTES to fit the disk, or each clone first removes other mirrors.",
        )
    else:
        yield ok("disk", summary)


def _size(number: int) -> str:
    """A size in the units that the settings take."""
    size = float(number)
    for unit in ("", "K", "M", "G"):
        if size < 1000:
            return f"{size:.3g}{unit}"
        size /= 1000
    return f"{size:.3g}T"
