"""Text as glyphs: which font draws which part, in which order, and how wide. Right-to-left and joining scripts too.

Names are short, so their parts are ordered by a part of the bidirectional algorithm (https://unicode.org/reports/tr9/):
the first letter decides where the text begins, and what has no direction follows its neighbours.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import unicodedata
from collections.abc import Iterable
from typing import Any

from podium.leaderboard.export.text_metrics import halves
from podium.textutil.width import graphemes
from podium.web.share.preview.fonts import Fonts, Typeface

_ELLIPSIS = "…"
# More marks on one letter cover the lines around it.
_MOST_MARKS = 2
# A closing bracket follows the direction of its opening one.
_BRACKETS = {"(": ")", "[": "]", "{": "}"}


@dataclasses.dataclass(frozen=True, slots=True)
class Glyph:
    """A glyph at ``x``, ``y`` of its line, in parts of the font size."""

    face: Typeface
    number: int
    x: float
    y: float


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of glyphs; ``width`` is in parts of the font size."""

    glyphs: tuple[Glyph, ...]
    width: float


@dataclasses.dataclass(frozen=True, slots=True)
class _Cluster:
    """A grapheme cluster; script and direction are None if it takes those of its neighbours."""

    text: str
    face: Typeface
    script: str | None
    direction: str | None


class Typesetter:
    """Thread-safe."""

    def __init__(self, fonts: Fonts) -> None:
        self._fonts = fonts

    def line(self, text: str, *, bold: bool = False) -> Line | None:
        """``text`` as a line; None if a part of it cannot be drawn as it is written."""
        clusters = [self._cluster(cluster, bold=bold) for cluster in _parts(text)]
        known = [cluster for cluster in clusters if cluster is not None]
        return _set(known) if len(known) == len(clusters) else None

    def readable(self, text: str, *, bold: bool = False) -> str:
        """``text`` without the symbols that cannot be drawn, such as emoji; '' if a letter cannot."""
        kept = []
        for whole in _parts(text):
            is_plain = len(whole) <= 1 + _MOST_MARKS and self._cluster(whole, bold=bold) is not None
            part = whole if is_plain else _without_marks(whole)
            if self._cluster(part, bold=bold) is not None:
                kept.append(part)
            elif any(unicodedata.category(character)[0] in "LN" for character in part):
                return ""
        words = " ".join("".join(kept).split())
        return words if self.line(words, bold=bold) is not None else ""

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """The width in pixels of a text that can be drawn."""
        line = self.line(text, bold=bold)
        return 0.0 if line is None else line.width * size

    def fit(self, text: str, size: float, room: float, *, bold: bool = False) -> str:
        """``text`` cut to ``room`` pixels, with an ellipsis."""
        if self.width(text, size, bold=bold) <= room:
            return text
        parts = _parts(text)
        low, high = 0, len(parts)
        while low < high:
            middle = (low + high + 1) // 2
            if self.width(_cut(parts, middle), size, bold=bold) <= room:
                low = middle
            else:
                high = middle - 1
        return _cut(parts, low)

    def wrap(self, text: str, size: float, room: float, *, bold: bool = False) -> list[str]:
        """``text`` in at most two lines, broken at the space that balances them best."""
        if " " not in text or self.width(text, size, bold=bold) <= room:
            return [self.fit(text, size, room, bold=bold)]
        lines = halves(text, lambda line: self.width(line, size, bold=bold))
        return [self.fit(line, size, room, bold=bold) for line in lines]

    def _cluster(self, text: str, *, bold: bool) -> _Cluster | None:
        script, direction = next((found for found in map(_script, text) if found[0]), (None, None))
        if direction is None and any(unicodedata.bidirectional(character) in ("EN", "AN") for character in text):
            direction = "ltr"
        face = self._fonts.find(_drawn(text), script, bold=bold)
        return None if face is None else _Cluster(text, face, script, direction)


def _cut(parts: list[str], count: int) -> str:
    return "".join(parts[:count]).rstrip() + _ELLIPSIS


def _parts(text: str) -> list[str]:
    return list(graphemes(unicodedata.normalize("NFC", text)))


def _drawn(text: str) -> str:
    """The characters that need a glyph: joiners and selectors of variants need none."""
    return "".join(
        character
        for character in text
        if unicodedata.category(character) != "Cf" and not "\ufe00" <= character <= "\ufe0f"
    )


def _without_marks(text: str) -> str:
    """Without marks that belong to no script: a letter without one is read all the same."""
    return "".join(
        character for character in text if unicodedata.category(character)[0] != "M" or _script(character)[0]
    )


@functools.lru_cache(maxsize=4096)
def _script(character: str) -> tuple[str | None, str | None]:
    """The ISO 15924 code and the direction; (None, None) if it is common to scripts."""
    buffer = _buffer(character)
    return (buffer.script, buffer.direction) if buffer.script else (None, None)


def _buffer(text: str) -> Any:
    import uharfbuzz

    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    return buffer


def _set(clusters: list[_Cluster]) -> Line | None:
    base = next((cluster.direction for cluster in clusters if cluster.script), "ltr")
    stretches = [list(group) for _, group in itertools.groupby(_directed(clusters, base), lambda pair: pair[0])]
    if base == "rtl":
        stretches.reverse()
    glyphs: list[Glyph] = []
    at = 0.0
    for stretch in stretches:
        runs = _runs([cluster for _, cluster in stretch])
        direction = stretch[0][0]
        for run in reversed(runs) if direction == "rtl" else runs:
            end = _shape(run, direction, at, glyphs)
            if end is None:
                return None
            at = end
    return Line(tuple(glyphs), at)


def _directed(clusters: list[_Cluster], base: str | None) -> Iterable[tuple[str, _Cluster]]:
    """Each cluster with its direction: between two of one direction it is theirs, elsewhere that of the text."""
    before, known = [], base
    for cluster in clusters:
        known = cluster.direction or known
        before.append(known)
    after, known = [], base
    for cluster in reversed(clusters):
        known = cluster.direction or known
        after.append(known)
    opened: dict[str, list[str]] = {}
    for cluster, one, other in zip(clusters, before, reversed(after), strict=True):
        direction = (one if one == other else base) or "ltr"
        if cluster.text in _BRACKETS:
            opened.setdefault(_BRACKETS[cluster.text], []).append(direction)
        elif opened.get(cluster.text):
            direction = opened[cluster.text].pop()
        yield direction, cluster


def _runs(clusters: list[_Cluster]) -> list[list[_Cluster]]:
    """Neighbours of one font and script."""
    runs: list[list[_Cluster]] = []
    script: str | None = None
    for cluster in clusters:
        same = runs and runs[-1][-1].face is cluster.face and (script is None or cluster.script in (None, script))
        if same:
            runs[-1].append(cluster)
        else:
            runs.append([cluster])
            script = None
        script = cluster.script or script
    return runs


def _shape(run: list[_Cluster], direction: str, start: float, glyphs: list[Glyph]) -> float | None:
    """Append the glyphs of a run, and return where it ends; None if one is missing."""
    import uharfbuzz

    face, at = run[0].face, start
    buffer = _buffer("".join(cluster.text for cluster in run))
    buffer.direction = direction
    uharfbuzz.shape(face.font, buffer)
    for info, place in zip(buffer.glyph_infos, buffer.glyph_positions or (), strict=True):
        if info.codepoint == 0:
            return None
        glyphs.append(Glyph(face, info.codepoint, at + place.x_offset / face.units, place.y_offset / face.units))
        at += place.x_advance / face.units
    return at
