"""git's progress display read back as numbers. Pure.

With ``--progress`` git writes lines such as ``Receiving objects:  42% (420/1000), 1.20 MiB | 3.00 MiB/s`` to its
standard error, each ended by a carriage return.
"""

from __future__ import annotations

import re
from typing import Protocol


class Progress(Protocol):
    """Called with how far the work on a repository is."""

    def __call__(self, phase: str, number: int, total: int | None = None, /) -> None:
        """Note progress.

        Args:
            phase: 'preparing' (the host counts and compresses), 'receiving' and 'resolving' (deltas) in percent,
                'counting' and 'saving' in commits. 'arrived' is no phase of its own: commits counted while receiving.
            number: percent or commits.
            total: how many there will be, about, if that is known.
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
    """Splits standard error into progress, which goes to ``report``, and all other lines, kept in ``rest``.

    ``rest`` is bounded: its first ``keep`` bytes are kept, since git says first what went wrong.
    """

    def __init__(self, report: Progress, keep: int = 64 * 1024) -> None:
        self.rest = b""
        self._report = report
        self._keep = keep
        self._begun = b""

    def feed(self, data: bytes) -> None:
        """Read the next piece of standard error, however it was cut."""
        *lines, self._begun = _BREAK.split(self._begun + data)
        if len(self._begun) > _LONGEST:
            lines.append(self._begun)
            self._begun = b""
        for line in lines:
            self._line(line)

    def close(self) -> bytes:
        """No more comes; returns ``rest``."""
        self._line(self._begun)
        self._begun = b""
        return self.rest

    def _line(self, line: bytes) -> None:
        match = _LINE.match(line)
        if match:
            self._report(_PHASES[match[1].decode()], min(int(match[2]), 100))
        elif line.strip() and len(self.rest) < self._keep:
            self.rest += line[:_LONGEST] + b"\n"
