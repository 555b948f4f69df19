"""Hostile text made harmless.

Author names contain anything: terminal escapes, line breaks, direction marks, invisible characters, lone surrogates.
Every format for people passes them through :func:`clean`, then escapes its own special characters.
"""

from __future__ import annotations

import re
import unicodedata

_SPACES = re.compile(r"[ \t-\r\x1c-\x1f\x85\u2028\u2029]+")
# C0, DEL, C1 (U+009B opens an escape sequence like ESC [), lone surrogates, noncharacters.
_BROKEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Direction marks and overrides, zero-width characters, fillers, variation selectors, tags.
_INVISIBLE = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Real scripts use up to four marks per letter; more cover the neighbouring lines.
_MOST_MARKS = 4
# What moves the cursor, ends a line or changes its direction.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def clean(text: str) -> str:
    """``text`` on one line, without control and invisible characters; broken characters become ``\ufffd``."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    text = _BROKEN.sub("\ufffd", _SPACES.sub(" ", _INVISIBLE.sub("", text))).strip(" ")
    return text if text.isascii() else _without_towers(text)


def blank_controls(text: str) -> str:
    """``text`` on one line, with spaces for control characters."""
    return _CONTROLS.sub(" ", text).strip()


def escape_controls(text: str) -> str:
    """``text`` with escaped control characters, so that it cannot fake a second line of a log."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def escape_json(text: str) -> str:
    """JSON ``text`` with ``\\uXXXX`` for every character that :func:`clean` would change."""
    return _BROKEN_IN_JSON.sub(_as_escape, text)


# json.dumps escapes C0; its own line breaks must stay.
_BROKEN_IN_JSON = re.compile(f"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff{_INVISIBLE.pattern[1:-1]}]")


def _as_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _without_towers(text: str) -> str:
    kept, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)
