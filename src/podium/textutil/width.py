"""Cleaned text in terminal columns.

wcwidth knows how many columns a character takes and which characters are one (Unicode's grapheme clusters). It is
imported for what is neither Latin, Greek nor Cyrillic.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# One column and one character each: Latin, Greek, Cyrillic, dashes and quotation marks.
_PLAIN = re.compile("[ -~\xa1-\xac\xae-\u02ff\u0370-\u0482\u2010-\u2027]*")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")


def width(text: str) -> int:
    return len(text) if _PLAIN.fullmatch(text) else _width(text)


def cut(text: str, columns: int) -> str:
    """``text`` in at most ``columns`` (1 or more), with an ellipsis if cut, never within a grapheme cluster."""
    if width(text) <= columns:
        return text
    if _PLAIN.fullmatch(text):
        return text[: columns - 1].rstrip(" ") + "…"
    kept, room = [], columns - 1
    for grapheme in graphemes(text):
        room -= _width(grapheme)
        if room < 0:
            break
        kept.append(grapheme)
    return "".join(kept).rstrip(" ") + "…"


def graphemes(text: str) -> Iterable[str]:
    """What a reader takes for the characters of ``text``: an emoji of several people is one."""
    if _PLAIN.fullmatch(text):
        return text
    from wcwidth import iter_graphemes

    return iter_graphemes(text)


def isolated(text: str) -> str:
    """``text`` so that its direction does not reorder what stands beside it (UAX #9, FSI and PDI)."""
    return f"\u2068{text}\u2069" if _RIGHT_TO_LEFT.search(text) else text


def _width(text: str) -> int:
    import wcwidth

    return wcwidth.width(text, control_codes="ignore")
