from __future__ import annotations

# The largest number that both databases hold.
LARGEST = 2**63 - 1


def whole_number(text: str, *, least: int = 0, most: int = LARGEST) -> int | None:
    """The number that ``text`` writes in ASCII digits; None if it is anything else, or beyond the bounds.

    int() alone accepts signs, spaces, underscores and other digits.
    """
    if text.isascii() and text.isdecimal() and len(text) <= 19 and least <= int(text) <= most:
        return int(text)
    return None
