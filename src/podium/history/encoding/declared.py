"""The encoding that a commit declares, as git uses it: for the whole object, or not at all."""

from __future__ import annotations

import codecs
import re
import unicodedata

from podium.history.encoding import euc_tw
from podium.history.encoding.codec_names import codec_of
from podium.history.encoding.single_byte import table_of

_DECLARED = re.compile(rb"^encoding ([^\n]*)", re.MULTILINE)
# Vietnamese accents are characters of their own, which iconv joins to the letter before.
_COMPOSED = ("cp1258", "tcvn")
_LETTER_AND_ACCENT = re.compile("[A-Za-z\u00c0-\u01b0][\u0300\u0301\u0303\u0309\u0323]")


def to_utf_8(raw: bytes, *, is_cut: bool) -> bytes:
    """A commit object in UTF-8, up to its first NUL; ``raw`` itself if its encoding is unknown or does not fit it.

    is_cut: ``raw`` is the beginning of the object, and may end within a character.
    """
    text = raw.partition(b"\0")[0]
    declared = _DECLARED.search(text.partition(b"\n\n")[0])
    codec = codec_of(declared[1]) if declared else None
    if codec is None:
        return raw
    try:
        return _decoded(text, codec, is_cut=is_cut).encode()
    except ValueError:
        return raw


def _decoded(text: bytes, codec: str, *, is_cut: bool) -> str:
    table = table_of(codec)
    if codec == "euc_tw":
        decoded = euc_tw.decode(text, is_cut=is_cut)
    elif table is not None:
        decoded = codecs.charmap_decode(text, "strict", table)[0]
    else:
        decoded = codecs.getincrementaldecoder(codec)().decode(text, final=not is_cut)
    if codec in _COMPOSED:
        # Pair by pair: to normalise a long run of accents takes quadratic time.
        decoded = _LETTER_AND_ACCENT.sub(lambda pair: unicodedata.normalize("NFC", pair[0]), decoded)
    return decoded
