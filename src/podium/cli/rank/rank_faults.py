"""What git's error for one repository does not say: its version, the file it may not read, the host that was asked."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from podium.cli.rank.source_path import may, not_readable
from podium.errors import HistoryError
from podium.git import version
from podium.git.command import Git
from podium.git.error_messages import NO_REPOSITORY
from podium.textutil.sanitize import blank_controls

_MOST_FILES = 50_000
_UNCLEAR = ("corrupt", "damaged", "git-failed", "not-a-repository", "no-default-branch", "empty", "missing")
_BAD_VALUE = re.compile(r"its setting (?P<name>\S+) = (?P<value>.*): correct it\.")


def explained(error: HistoryError, git: Git, environment: Mapping[str, str], path: Path | None) -> HistoryError:
    """Return ``error`` with what git left out. ``path`` is that of the repository; None for an address."""
    message, code = error.message, error.code
    if error.code in _UNCLEAR and path is not None and (file := unreadable(path)):
        return not_readable(file)
    if path is not None and message == NO_REPOSITORY:
        folder = blank_controls(str(path.resolve()))
        message = f"{folder} is not inside a git repository: name the folder of one, owner/name or a URL."
    elif bad := _BAD_VALUE.search(message):
        message = message.replace(": correct", f"{_place(bad['name'], bad['value'], path, environment)}: correct")
    elif error.code == "needs-newer-git" and (number := _version(git)):
        message = f"{message.removesuffix('.')} than {'.'.join(map(str, number))}."
    elif error.code in _UNCLEAR and (number := _version(git)) and version.is_too_old(number):
        oldest = ".".join(map(str, version.OLDEST[:2]))
        code, message = "git-too-old", f"git {'.'.join(map(str, number))} is too old: install {oldest} or newer."
    else:
        return error
    return HistoryError(code, message, transient=error.transient)


def unreadable(path: Path) -> Path | None:
    """The first file or folder of the repository at or above ``path`` that this user may not read."""
    return next((file for file in itertools.islice(_files(path), _MOST_FILES) if not _is_readable(file)), None)


def _is_readable(file: Path) -> bool:
    return may(file, os.R_OK | os.X_OK if file.is_dir() else os.R_OK) or not os.path.lexists(file)


def _files(path: Path) -> Iterator[Path]:
    git_dir = _git_dir(path)
    yield path
    if git_dir is None:
        return
    yield git_dir
    # The files in the folder itself come before those of objects/.
    for folder, folders, names in os.walk(git_dir):
        yield from (Path(folder, name) for name in (*names, *folders) if not name.endswith(".lock"))


def _git_dir(path: Path) -> Path | None:
    for folder in (path, *path.absolute().parents):
        if (folder / ".git").is_dir():
            return folder / ".git"
        if (folder / "objects").is_dir() and (folder / "HEAD").exists():
            return folder
    return None


def _version(git: Git) -> version.Version | None:
    try:
        return version.parse(git.run("version", folder=Path("/")).output.decode(errors="replace"))
    except HistoryError:
        return None


def _place(name: str, value: str, path: Path | None, environment: Mapping[str, str]) -> str:
    """`` in line 3 of FILE``, where the setting stands."""
    key = name.rpartition(".")[2]
    line_of = re.compile(rf"\s*(?:\[[^\]]*\]\s*)?{re.escape(key)}\s*=\s*\"?{re.escape(value)}", re.IGNORECASE)
    for file in _settings_files(path, environment):
        try:
            lines = file.read_text(errors="replace").splitlines()
        except OSError:
            continue
        for number, line in enumerate(lines, start=1):
            if line_of.match(line):
                return f" in line {number} of {blank_controls(str(file))}"
    return ""


def _settings_files(path: Path | None, environment: Mapping[str, str]) -> Iterator[Path]:
    if path is not None and (git_dir := _git_dir(path)):
        yield from (git_dir / "config.worktree", git_dir / "config")
    home = environment.get("HOME", "")
    if chosen := environment.get("GIT_CONFIG_GLOBAL"):
        yield Path(chosen)
    elif home:
        yield Path(home, ".gitconfig")
        yield Path(environment.get("XDG_CONFIG_HOME") or Path(home, ".config"), "git", "config")
    yield Path(environment.get("GIT_CONFIG_SYSTEM") or "/etc/gitconfig")
