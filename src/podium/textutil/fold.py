"""Text for comparison: without case, accents and compatibility forms."""

from __future__ import annotations

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
