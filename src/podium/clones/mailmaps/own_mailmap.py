"""The user's own mailmaps: files that are applied after the repository's ``.mailmap``."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from podium.clones.mailmaps.mailmap import LARGEST_MAILMAP, MOST_LINES
from podium.errors import BadMailmapFile
from podium.textutil.plural import plural
from podium.textutil.sanitize import blank_controls

# Notes about all files together.
_MOST_NOTES = 5

_MARK_OF_UTF_8 = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class OwnMailmap:
    """A file, and how an error names it."""

    path: Path
    subject: str

    @classmethod
    def at(cls, path: str, subject: str) -> OwnMailmap:
        """``path`` may begin with ``~``."""
        try:
            return cls(Path(path).expanduser(), subject)
        except RuntimeError:
            # There is no such user.
            return cls(Path(path), subject)

    @property
    def name(self) -> str:
        """Without its folder: boards and logs may be read by others."""
        return blank_controls(self.path.name)


def read_own_mailmaps(files: Iterable[OwnMailmap]) -> bytes:
    """The lines of all files; later ones win.

    Raises:
        BadMailmapFile: a file cannot be read, is not text, or is too large.
    """
    return b"".join(_read(file) for file in files)


def notes_on(files: Iterable[OwnMailmap]) -> list[str]:
    """Name the first lines that git ignores without a word, and count the others.

    Raises:
        BadMailmapFile: as :func:`read_own_mailmaps`.
    """
    found = [
        (file, number)
        for file in files
        for number, line in enumerate(_read(file).split(b"\n"), start=1)
        if line.strip() and not line.lstrip().startswith(b"#") and not _has_effect(line)
    ]
    notes = [f"{file.name}, line {number}: not a mailmap line; it is ignored." for file, number in found[:_MOST_NOTES]]
    more = len(found) - _MOST_NOTES
    return (
        [*notes, f"{plural(more, 'more mailmap line')} {'is' if more == 1 else 'are'} ignored."] if more > 0 else notes
    )


def _has_effect(line: bytes) -> bool:
    """Whether git reads an address, and a name for it or a second address, which may be empty."""
    name, _, rest = line.partition(b"<")
    email, closed, rest = rest.partition(b">")
    return bool(closed and email and (name.strip() or b">" in rest.partition(b"<")[2]))


def _read(file: OwnMailmap) -> bytes:
    try:
        # Opening a pipe could wait forever.
        if not stat.S_ISREG(file.path.stat().st_mode):
            raise BadMailmapFile(f"{file.subject} is not a regular file: give the path of a text file.")
        with file.path.open("rb") as opened:
            content = opened.read(LARGEST_MAILMAP + 1)
    except OSError as error:
        raise BadMailmapFile(
            f"{file.subject} cannot be read ({error.strerror}): give the path of a file with lines as in .mailmap."
        ) from error
    content = content.removeprefix(_MARK_OF_UTF_8)
    if len(content) > LARGEST_MAILMAP or content.count(b"\n") > MOST_LINES:
        raise BadMailmapFile(
            f"{file.subject} is larger than 4 MiB or {MOST_LINES:,} lines: keep one line per name and address."
        )
    if b"\0" in content:
        raise BadMailmapFile(f"{file.subject} is not a text file: save it as UTF-8, with lines as in .mailmap.")
    return content if content.endswith(b"\n") or not content else content + b"\n"
