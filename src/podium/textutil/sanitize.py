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
_INVISIBLE = (
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Symbols, among them every emoji that sequences begin with, and scripts whose letters take other forms when joined.
_SYMBOL = (
    "[\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d"
    "\u3297\u3299\U0001f000-\U0001faff]"
)
_LETTER = "[\u0620-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17b3\u17b6-\u17ff]"
_HAN = "[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
# Where invisible characters change what is seen: emoji joined, as a picture or as text; flags of regions; keycaps;
# letters joined or apart; the variants of Han characters, which names use.
_MEANT = (
    f"(?:(?<={_SYMBOL})|(?<={_SYMBOL}\ufe0f))\u200d(?={_SYMBOL})"
    f"|(?<={_SYMBOL})[\ufe0e\ufe0f]|(?<=[0-9#*])\ufe0f(?=\u20e3)"
    "|(?<=\U0001f3f4)[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"
    f"|(?<={_LETTER})[\u200c\u200d](?={_LETTER})"
    f"|(?<={_HAN})[\ufe00-\ufe02\U000e0100-\U000e01ef]"
)
_MEANT_OR_INVISIBLE = re.compile(f"({_MEANT})|{_INVISIBLE}")
# Real scripts use up to four marks per letter; more cover the neighbouring lines.
_MOST_MARKS = 4
# What moves the cursor, ends a line or changes its direction.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def clean(text: str) -> str:
    """``text`` on one line, without control and invisible characters; broken characters become ``\ufffd``.

    Joiners and variation selectors stay within emoji and within letters of scripts that use them.
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    text = _BROKEN.sub("\ufffd", _SPACES.sub(" ", _MEANT_OR_INVISIBLE.sub(_meant, text))).strip(" ")
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
_BROKEN_IN_JSON = re.compile(f"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff{_INVISIBLE[1:-1]}]")


def _as_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _meant(match: re.Match[str]) -> str:
    return match[1] or ""


def _without_towers(text: str) -> str:
    kept, marks = [], 0
    for character in text:
        if unicodedata.category(character) in ("Mn", "Me"):
            marks += 1
        elif marks <= _MOST_MARKS or character not in "\u200c\u200d":
            marks = 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)
