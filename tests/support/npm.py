"""Files of packages that npm publishes, fetched once and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path


class UnavailableError(Exception):
    """A file cannot be had here; the message says why."""


def fetched(package: str, member: str) -> Path:
    """The file ``member`` of ``package`` (with its version: ``name@1.2.3``).

    Raises:
        UnavailableError: there is no npm, or it cannot reach its registry.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "podium-tests"
    kept = folder / f"{package.replace('/', '-').replace('@', '-').strip('-')}-{Path(member).name}"
    if kept.exists():
        return kept
    npm = shutil.which("npm")
    if npm is None:
        raise UnavailableError("npm is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [npm, "pack", "--silent", "--pack-destination", str(folder), package],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise UnavailableError(f"npm cannot fetch {package}: {done.stderr.strip()[-300:]}")
    archive = folder / done.stdout.split()[-1]
    with tarfile.open(archive) as packed:
        content = packed.extractfile(f"package/{member}")
        assert content is not None
        fresh = kept.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(content.read())
    archive.unlink()
    # Several test runs may fetch at once: each puts a whole file in place.
    fresh.rename(kept)
    return kept
