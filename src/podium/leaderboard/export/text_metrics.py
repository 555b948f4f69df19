"""The width of text in an SVG, which can neither wrap nor measure it.

The widths are those of DejaVu Sans in thousandths of the font size; most other fonts are narrower. ``textLength`` makes
the text fit exactly in any font.
"""

# ruff: noqa: RUF001 - the table contains letters of other scripts that look like Latin ones

from __future__ import annotations

import bisect
import unicodedata
from collections.abc import Callable

from podium.textutil.width import graphemes

_WIDTHS = {
    278: "'ijlıіј",
    284: "ł",
    295: "IJΙІЈ",
    318: " ,.·‘’‚",
    337: "/:;\\|ι",
    352: "f",
    361: "-‐‑",
    391: "()[]tŧ",
    400: "‹›!¡",
    411: "r",
    460: '"',
    500: "*_`§¨°´–†‡",
    519: "“”„sѕ",
    527: "zгґ?¿",
    532: "з",
    542: "εζ",
    550: "эєcс",
    559: "LΓξνŁ",
    578: "Fχkĸυ",
    587: "тςκвь",
    592: "•чvxyγλух",
    603: "πτяPΡРкÞ",
    612: "УГҐTYΤΥТo«»ðøδθοоaаeе",
    617: "б",
    628: "ђß",
    635: "EΕΞΣЕhnuŋησSbdgpqþđρЅр$0123456789{}£¥μ€β",
    640: "лЗ",
    654: "ићнпKΚ",
    660: "αφψ",
    685: "цAVΑΔΛАXZΖΧХBΒБВЧЬ",
    694: "дRħЯ",
    698: "CЄСЭ",
    708: "ъК",
    732: "U",
    751: "NŊΝИHΗΠЛНПм",
    767: "ΩD",
    777: "GÐЦ&Д",
    787: "ЂЋOQØΘΟΦΨОы",
    818: "w",
    838: "Ъω#+<=>^~¬±×÷",
    842: "ю",
    858: "фФ",
    863: "MΜМ",
    882: "Ы",
    900: "њжљ",
    916: "шĦ",
    942: "щ",
    950: "%",
    974: "mÆ",
    982: "æ",
    989: "W",
    1000: "@©®—―…™",
    1023: "œ",
    1042: "№Њ",
    1070: "ШŒ",
    1078: "ЖЮ",
    1094: "ЉЩ",
}
_WIDTH_OF = {character: width for width, characters in _WIDTHS.items() for character in characters}
_WIDE, _OTHER, _ELLIPSIS = 1000, 640, "…"
# The first and the last of the letters that are wider, by script, and their usual width.
_WIDER = (
    *((0x0900, 0x0AFF, 760), (0x0B00, 0x0B7F, 850), (0x0B80, 0x0BFF, 1000), (0x0C00, 0x0CFF, 920)),
    *((0x0D00, 0x0DFF, 1050), (0x1000, 0x109F, 1000), (0x1200, 0x139F, 880), (0x1780, 0x17FF, 800)),
    *((0xFDF0, 0xFDFF, 3000), (0x12000, 0x1254F, 2000), (0x13000, 0x1345F, 1200)),
)

BOLD = 1.12


def width(text: str, size: float) -> float:
    """The width of cleaned ``text`` in a font of ``size``, in the same unit."""
    return sum(map(_width_of, graphemes(text))) * size / 1000


def fit(text: str, size: float, room: float) -> str:
    """``text`` cut to ``room``, with an ellipsis, never within a grapheme cluster."""
    if width(text, size) <= room:
        return text
    left = room * 1000 / size - _width_of(_ELLIPSIS)
    end = 0
    for grapheme in graphemes(text):
        left -= _width_of(grapheme)
        if left < 0:
            break
        end += len(grapheme)
    return text[:end].rstrip(" ") + _ELLIPSIS


def wrap(text: str, size: float, room: float) -> list[str]:
    """``text`` in at most two lines, broken at the space that balances them best."""
    if width(text, size) <= room or " " not in text:
        return [fit(text, size, room)]
    return [fit(line, size, room) for line in halves(text, lambda line: width(line, size))]


def halves(text: str, width: Callable[[str], float]) -> tuple[str, str]:
    """``text``, which has a space, broken at the one that balances the widths of both lines best."""
    spaces = [at for at, character in enumerate(text) if character == " "]

    def widths(at: int) -> tuple[float, float]:
        return width(text[:at]), width(text[at + 1 :])

    def is_past(at: int) -> bool:
        first, second = widths(at)
        return first >= second

    # The later the break, the wider the first line and the narrower the second.
    crossing = bisect.bisect_left(spaces, True, key=is_past)
    at = min(spaces[max(0, crossing - 1) : crossing + 1], key=lambda at: max(widths(at)))
    return text[:at], text[at + 1 :]


def _width_of(grapheme: str) -> int:
    if len(grapheme) == 1:
        return _width_of_character(grapheme)
    # Emoji that joiners, skin tones or flags make one.
    return _WIDE if max(grapheme) >= "\U0001f000" else sum(map(_width_of_character, grapheme))


def _width_of_character(character: str) -> int:
    known = _WIDTH_OF.get(character)
    if known is not None:
        return known
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return _WIDE
    # A diacritic rarely changes the width.
    base = unicodedata.normalize("NFD", character)[0]
    wider = next((width for first, last, width in _WIDER if first <= ord(base) <= last), _OTHER)
    return _WIDTH_OF.get(base, wider)
