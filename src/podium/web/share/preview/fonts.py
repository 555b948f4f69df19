"""The fonts of preview images: FiraGO, and those of the system for scripts that it lacks.

FiraGO has Latin, Greek, Cyrillic, Arabic, Hebrew, Devanagari, Georgian and Thai. Only scripts whose characters neither
join nor reorder are drawn with a font that has no rules for them.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import os
import threading
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

# The system's fonts: the files that are looked at, and the bytes of one.
MAX_FILES, MAX_BYTES = 1_000, 64 * 2**20

_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "~/Library/Fonts",
)
_SUFFIXES = (".ttf", ".otf", ".ttc")
_OUTLINES = {"glyf", "CFF ", "CFF2"}
# https://unicode.org/iso15924/iso15924-codes.html
_SIMPLE_SCRIPTS = frozenset("Latn Grek Cyrl Armn Geor Hani Hira Kana Hang Bopo Ethi Cher Cans".split())


@dataclasses.dataclass(frozen=True, slots=True)
class Typeface:
    """A font of one weight."""

    font: Any
    units: int
    scripts: frozenset[str]
    bold: bool

    @classmethod
    def of(cls, blob: Any, *, bold: bool) -> Typeface:
        import uharfbuzz

        face = uharfbuzz.Face(blob)
        tags = face.get_table_script_tags("GSUB") if face.has_layout_substitution else []
        scripts = frozenset(uharfbuzz.ot_tag_to_script(tag) for tag in tags)
        return cls(uharfbuzz.Font(face), face.upem, scripts, bold)

    def covers(self, characters: str) -> bool:
        return all(self.font.get_nominal_glyph(ord(character)) for character in characters)

    def shapes(self, script: str | None) -> bool:
        """Whether words of the script look right, with joined and reordered characters."""
        return script is None or script in _SIMPLE_SCRIPTS or script in self.scripts


class Fonts:
    """The fonts of one process, read when they are first needed. Thread-safe.

    Args:
        folders: where the system's fonts are.
    """

    def __init__(self, folders: tuple[str, ...] = _FOLDERS) -> None:
        self._folders = folders
        self._lock = threading.Lock()

    @functools.cached_property
    def regular(self) -> Typeface:
        return _fira_go("figo", bold=False)

    @functools.cached_property
    def bold(self) -> Typeface:
        return _fira_go("figbo", bold=True)

    def find(self, characters: str, script: str | None, *, bold: bool) -> Typeface | None:
        """A font for one grapheme cluster; None if there is none."""
        own = self.bold if bold else self.regular
        if own.covers(characters) and own.shapes(script):
            return own
        with self._lock:
            able = [font for font in self._system if font.covers(characters) and font.shapes(script)]
        return min(able, key=lambda font: font.bold != bold, default=None)

    @functools.cached_property
    def _system(self) -> list[Typeface]:
        return [font for font in map(_read, _files(self._folders)[:MAX_FILES]) if font is not None]


def _fira_go(name: str, *, bold: bool) -> Typeface:
    import pymupdf_fonts

    return Typeface.of(pymupdf_fonts.myfont(name), bold=bold)


def _read(path: Path) -> Typeface | None:
    import uharfbuzz

    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        blob = uharfbuzz.Blob.from_file_path(str(path))
        # Without outlines it holds bitmaps, as fonts of emoji do.
        if not _OUTLINES.intersection(uharfbuzz.Face(blob).table_tags):
            return None
        return Typeface.of(blob, bold="bold" in path.stem.lower())
    except (OSError, uharfbuzz.HarfBuzzError) as error:
        log.debug("The font %s cannot be read: %s.", path, error)
        return None


def _files(folders: tuple[str, ...]) -> list[Path]:
    """Plain sans-serif fonts first."""
    found = []
    for folder in folders:
        for where, _, names in os.walk(Path(folder).expanduser()):
            found += [Path(where, name) for name in names if name.lower().endswith(_SUFFIXES)]
            if len(found) > 10 * MAX_FILES:
                break
    return sorted(found, key=_plainness)


def _plainness(path: Path) -> tuple[bool, bool, str]:
    name = path.stem.lower()
    odd = ("mono", "serif", "italic", "oblique", "condensed", "light", "thin", "black")
    return any(word in name for word in odd), "sans" not in name, str(path)
