"""Parse git's progress: ``Receiving objects:  42% (420/1000), 1.20 MiB | 3.00 MiB/s`` and a carriage return."""

from __future__ import annotations

import re
from typing import Protocol


class Progress(Protocol):
    def __call__(self, phase: str, number: int, total: int | None = None, /) -> None:
        """Note progress.

        Args:
            phase: 'preparing' (the host counts and compresses), 'receiving' and 'resolving' (deltas) in percent,
                'counting' and 'saving' in commits; 'arrived': commits counted while receiving.
            total: an estimate; of 'arrived' the objects that arrive or are there, most of which are commits.
        """


_PHASES = {
    "Counting": "preparing",
    "Compressing": "preparing",
    "Receiving": "receiving",
    "Indexing": "receiving",
    "Resolving": "resolving",
}
_LINE = re.compile(rb"(?:remote: )?(Counting|Compressing|Receiving|Indexing|Resolving) [a-z]+: +(\d{1,3})% \(\d+/\d+\)")
_BREAK = re.compile(rb"[\r\n]+")
_LONGEST = 4096


class ProgressReader:
    """Passes progress to ``report`` and keeps the first ``keep`` bytes of other lines."""

    def __init__(self, report: Progress, keep: int = 64 * 1024) -> None:
        self._rest = bytearray()
        self._report = report
        self._keep = keep
        self._begun = b""

    def feed(self, data: bytes) -> None:
        *lines, self._begun = _BREAK.split(self._begun + data)
        if len(self._begun) > _LONGEST:
            lines.append(self._begun)
            self._begun = b""
        for line in lines:
            self._line(line)

    def close(self) -> bytes:
        self._line(self._begun)
        self._begun = b""
        return bytes(self._rest)

    def _line(self, line: bytes) -> None:
        match = _LINE.match(line)
        if match:
            self._report(_PHASES[match[1].decode()], min(int(match[2]), 100))
        elif line.strip() and len(self._rest) < self._keep:
            self._rest += line[:_LONGEST] + b"\n"
