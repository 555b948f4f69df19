"""Text of git, byte for byte, as characters that every database stores.

Names in old histories are often no UTF-8, and ``.mailmap`` compares bytes. Python's surrogates would keep such bytes,
but PostgreSQL refuses them. Here byte ``0xNN`` that does not belong to UTF-8 becomes the private-use character
``U+F7NN``. A genuine character U+F780 to U+F7FF becomes three of them, so that no two byte strings become equal.
"""

from __future__ import annotations

import re

_ESCAPED = re.compile("[\uf780-\uf7ff]")
_NEEDS_ESCAPES = re.compile("[\udc80-\udcff\uf780-\uf7ff]")
# Python's handler `surrogateescape` writes byte 0xNN as U+DCNN.
_ESCAPES: dict[int, int | str] = {0xDC00 + byte: 0xF700 + byte for byte in range(0x80, 0x100)}
_ESCAPES |= {code: "".join(chr(0xF700 + byte) for byte in chr(code).encode()) for code in range(0xF780, 0xF7FF + 1)}
_SURROGATES = {0xF700 + byte: 0xDC00 + byte for byte in range(0x80, 0x100)}


def from_bytes(raw: bytes) -> str:
    """Decode UTF-8, and keep every other byte as a private-use character."""
    text = raw.decode("utf-8", "surrogateescape")
    return text if text.isascii() or not _NEEDS_ESCAPES.search(text) else text.translate(_ESCAPES)


def to_bytes(text: str) -> bytes:
    """The bytes from which :func:`from_bytes` made ``text``."""
    if not _ESCAPED.search(text):
        return text.encode()
    return text.translate(_SURROGATES).encode("utf-8", "surrogateescape")


def readable(text: str) -> str:
    """``text`` of :func:`from_bytes` as people read it: U+FFFD stands for what is no UTF-8."""
    return to_bytes(text).decode("utf-8", "replace") if _ESCAPED.search(text) else text
