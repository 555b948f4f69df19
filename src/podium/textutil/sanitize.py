"""Hostile text made harmless to look at, and measured. Pure.

Author names are whatever somebody wrote: terminal escapes, line breaks, marks that turn the direction of a line,
invisible characters, half of a surrogate pair. Every format that people read goes through :func:`clean` first and
escapes its own special characters afterwards.
"""

from __future__ import annotations

import re
import unicodedata

# What breaks a line or moves to the next column.
_SPACES = re.compile(r"[ \t-\r\x1c-\x1f\x85\u2028\u2029]+")
# C0, DEL, C1 (U+009B opens an escape sequence like ESC [), halves of surrogate pairs, and what is never a character.
_BROKEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Nothing to see: direction marks and overrides, zero-width and joining characters, fillers, variation selectors, tags.
_INVISIBLE = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# As much of an e-mail as a stranger may see: its first letter and its domain.
_EMAIL = re.compile(r"([^\s@<>()]?)[^\s@<>()]*@([^\s@<>()]+)")
# Real scripts need up to three or four marks on a letter; towers of them are drawn over the neighbouring lines.
_MOST_MARKS = 4


def clean(text: str) -> str:
    """``text`` on one line, without anything that acts on what shows it; what is broken becomes ``\ufffd``."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    text = _BROKEN.sub("\ufffd", _SPACES.sub(" ", _INVISIBLE.sub("", text))).strip(" ")
    return text if text.isascii() else _without_towers(text)


def masked(text: str) -> str:
    """``text`` with every e-mail in it cut short: ``ada@example.com`` becomes ``a…@example.com``.

    It is cut to 200 characters first: names are hostile, and the search takes the square of their length.
    """
    short = text if len(text) <= 200 else text[:199] + "…"
    return _EMAIL.sub(r"\1…@\2", short)


def escape_json(text: str) -> str:
    """JSON text with every character that :func:`clean` would touch written as ``\\uXXXX``: the same document."""
    return _BROKEN_IN_JSON.sub(_as_escape, text)


def width(text: str) -> int:
    """Columns that cleaned ``text`` takes in a terminal."""
    return len(text) if text.isascii() else sum(map(_width_of, text))


def cut(text: str, columns: int) -> str:
    """Cleaned ``text`` in at most ``columns`` (1 or more), ending in an ellipsis where something is missing."""
    if width(text) <= columns:
        return text
    kept, room = [], columns - 1
    for character in text:
        room -= _width_of(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip(" ") + "…"


# json.dumps has escaped C0 already, and its own line breaks must stay.
_BROKEN_IN_JSON = re.compile(f"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff{_INVISIBLE.pattern[1:-1]}]")


def _as_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _width_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _without_towers(text: str) -> str:
    kept, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)
