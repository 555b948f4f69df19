"""The width of cleaned text in terminal columns."""

from __future__ import annotations

import unicodedata


def width(text: str) -> int:
    return len(text) if text.isascii() else sum(map(_width_of, text))


def cut(text: str, columns: int) -> str:
    """``text`` in at most ``columns`` (1 or more), with an ellipsis if cut."""
    if width(text) <= columns:
        return text
    kept, room = [], columns - 1
    for character in text:
        room -= _width_of(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip(" ") + "…"


def _width_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
