"""Inflating: ISA-L where it is installed, which takes three quarters of zlib's time on commits, else zlib."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol


class Inflater(Protocol):
    """What both of them give: one stream."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was seen, its checksum too."""

    @property
    def unused_data(self) -> bytes:
        """What was given beyond that end."""

    @property
    def unconsumed_tail(self) -> bytes:
        """What was given and not looked at, because ``max_length`` bytes were made."""

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes:
        """What ``data`` adds to the output, at most ``max_length`` bytes (0: all)."""


def _choose() -> tuple[Callable[[], Inflater], tuple[type[Exception], ...]]:
    try:
        from isal import isal_zlib
    except ImportError:  # there is none for this machine
        return zlib.decompressobj, (zlib.error,)
    return isal_zlib.decompressobj, (isal_zlib.error,)  # type: ignore[return-value] # its stub calls the class a value


# Makes an inflater; what it raises where the data is no stream.
inflater, InflateError = _choose()
