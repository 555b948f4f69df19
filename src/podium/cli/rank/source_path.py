"""Whether the SOURCE of ``podium rank`` is a path of this machine, and what is wrong with one that is none."""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
from pathlib import Path

from podium.errors import BadAddress, HistoryError
from podium.textutil.mask import without_user_info
from podium.textutil.sanitize import blank_controls

_ONLY_PATHS = ("/", "./", "../", "~", "file:")
_BUNDLE = (b"# v2 git bundle\n", b"# v3 git bundle\n")
# Names of a folder among which a similar one is looked for.
_MOST_NAMES = 2000


def local_path(source: str) -> Path | None:
    """Return the path that ``source`` names; None if nothing is there, so that it may be an address.

    Raises:
        HistoryError: something is there, and it is not a repository or may not be read.
        BadAddress: ``source`` can only be a path, and nothing is there.
    """
    if not source or "\0" in source:
        return None
    path = _path(source)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        _refuse_dangling(path)
    except PermissionError:
        raise not_readable(_closed(path)) from None
    except OSError:
        # A name that is too long, a link to itself, or a file in place of a folder.
        _refuse_dangling(path)
    else:
        return path if stat.S_ISDIR(mode) else _folder_of_file(path)
    if source in (".", "..") or source.startswith(_ONLY_PATHS):
        raise BadAddress(f"{nothing_at(source)} Give the path of a repository, owner/name or a URL.")
    return None


def is_path_like(source: str) -> bool:
    """Whether an address such as ``src/foo`` may be meant as a path."""
    if ":" in source or " " in source or not source:
        return False
    first, *rest = source.rstrip("/").split("/")
    if os.path.lexists(first):
        return True
    is_host = "." in first and bool(rest)
    return not is_host and (len(rest) != 1 or source.endswith(("/", ".git")))


def nothing_at(source: str) -> str:
    """The sentence ``Nothing is at ./foo.``, with a similar name that exists."""
    shown = without_user_info(source) if source.startswith(("/", ".", "~", "file:")) else f"./{source}"
    found = _similar(_path(source))
    return f"Nothing is at {blank_controls(shown)}{f' (there is {blank_controls(found)})' if found else ''}."


def _path(source: str) -> Path:
    if source.startswith("file://"):
        source = source.removeprefix("file://localhost" if source.startswith("file://localhost/") else "file://")
    path = Path(source)
    try:
        return path.expanduser()
    except RuntimeError:
        # There is no such user, or no home.
        return path


def _folder_of_file(path: Path) -> Path:
    if path.name == ".git":
        # The link of a work tree or a submodule.
        return path.parent
    begin = b""
    if path.is_file():
        try:
            with path.open("rb") as file:
                begin = file.read(len(_BUNDLE[0]))
        except OSError:
            raise not_readable(path) from None
    shown = blank_controls(str(path))
    if begin in _BUNDLE:
        raise HistoryError(
            "not-a-repository", f"{shown} is a bundle: clone it first (git clone {shown} FOLDER), then rank the folder."
        )
    raise HistoryError("not-a-repository", f"{shown} is a file: name the folder of a repository.")


def _refuse_dangling(path: Path) -> None:
    for part in (path, *path.parents):
        if os.path.islink(part):  # noqa: PTH114 # it answers for a name that is too long, too
            with contextlib.suppress(OSError):
                part.stat()
                continue
            target = blank_controls(str(part.readlink()))
            raise HistoryError(
                "not-a-repository", f"{blank_controls(str(part))} is a link to {target}, where nothing can be found."
            )


def _closed(path: Path) -> Path:
    """The highest folder above ``path`` that this user may not enter."""
    return next((part for part in reversed(path.parents) if part.is_dir() and not may(part, os.X_OK)), path)


def may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def not_readable(path: Path) -> HistoryError:
    return HistoryError(
        "not-readable", f"This user may not read {blank_controls(str(path))}: give it access, or run it as the owner."
    )


def _similar(path: Path) -> str | None:
    # Most paths exist, and git starts before this is imported.
    import difflib

    with contextlib.suppress(OSError, ValueError):
        names = [entry.name for entry in itertools.islice(os.scandir(path.parent), _MOST_NAMES)]
        if found := difflib.get_close_matches(path.name, names, n=1):
            return str(path.parent / found[0])
    return None
