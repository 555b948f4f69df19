"""Text for comparison: without case, accents and compatibility forms."""

from __future__ import annotations

import itertools
import unicodedata
from string import ascii_lowercase, ascii_uppercase

# Letters with a stroke, ligatures and the dotless i do not decompose.
_PLAIN = {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
_LOWER_ASCII = str.maketrans(ascii_uppercase, ascii_lowercase)
_MOST_REMEMBERED = 5_000


def fold(text: str) -> str:
    """``text`` without case, accents, compatibility forms and invisible characters (Unicode's category Cf)."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKD", text).casefold().translate(_table)


def parted(text: str, part: str) -> tuple[str, str, str]:
    """``text`` before, in and after the first characters whose folded form contains ``part``, which is folded.

    All of it is before if there are none.
    """
    folded = [fold(character) for character in text]
    place = "".join(folded).find(part) if part else -1
    if place < 0:
        return text, "", ""
    ends = list(itertools.accumulate(map(len, folded)))
    start = next(index for index, end in enumerate(ends) if end > place)
    stop = next(index for index, end in enumerate(ends) if end >= place + len(part)) + 1
    # The accents after the last letter belong to it.
    while stop < len(text) and not folded[stop]:
        stop += 1
    return text[:start], text[start:stop], text[stop:]


def lower_ascii(text: str) -> str:
    """``text`` with ASCII's letters in lower case, as git compares e-mails."""
    return text.translate(_LOWER_ASCII)


class _Table(dict[int, str]):
    """What becomes of each character, found when it is first needed."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        plain = "" if _is_dropped(character) else _PLAIN.get(character, character)
        if len(self) < _MOST_REMEMBERED:
            self[code] = plain
        return plain


_table = _Table()


def _is_dropped(character: str) -> bool:
    # Classes in between are letters of their own: voiced kana, Thai vowels, a Devanagari virama.
    mark = unicodedata.combining(character)
    return mark == 1 or 10 <= mark <= 36 or mark >= 200 or unicodedata.category(character) == "Cf"
