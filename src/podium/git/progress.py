"""git's progress display read back as numbers. Pure.

With ``--progress`` git writes lines such as ``Receiving objects:  42% (420/1000), 1.20 MiB | 3.00 MiB/s`` to its
standard error, each ended by a carriage return.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# progress(phase, percent, bytes received so far or None); phase: "preparing" (the other side counts and compresses),
# "receiving", "resolving" (deltas).
Progress = Callable[[str, int, int | None], None]

_PHASES = {
    "Counting": "preparing",
    "Compressing": "preparing",
    "Receiving": "receiving",
    "Indexing": "receiving",
    "Resolving": "resolving",
}
_LINE = re.compile(
    rb"(?:remote: )?(Counting|Compressing|Receiving|Indexing|Resolving) [a-z]+: +(\d{1,3})% \(\d+/\d+\)"
    rb"(?:, ([\d.]{1,12}) (bytes|[KMG]iB))?"
)
_UNITS = {b"bytes": 1, b"KiB": 1 << 10, b"MiB": 1 << 20, b"GiB": 1 << 30}
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
            number, unit = match[3], match[4]
            received = int(_float(number) * _UNITS[unit]) if number else None
            self._report(_PHASES[match[1].decode()], min(int(match[2]), 100), received)
        elif line.strip() and len(self.rest) < self._keep:
            self.rest += line[:_LONGEST] + b"\n"


def _float(number: bytes) -> float:
    try:
        return float(number)
    except ValueError:  # the other side's text may look like a number and be none: 1.2.3
        return 0.0
