"""Plain text for a terminal: columns, spans of time, numbers of things. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from podium.textutil.sanitize import width
from podium.timeutil import iso


def columns(head: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """Rows below a head, two spaces between columns; the columns numbered in ``right`` end at one edge."""
    widths = [max(width(row[number]) for row in (head, *rows)) for number in range(len(head))]

    def line(row: Sequence[str]) -> str:
        cells = []
        for number, cell in enumerate(row):
            space = " " * (widths[number] - width(cell))
            cells.append(space + cell if number in right else cell + space)
        return "  ".join(cells).rstrip()

    return "\n".join(line(row) for row in (head, *rows))


def age(seconds: float) -> str:
    """A span of time in its largest unit, rounded down: ``42 s``, ``7 min``, ``3 h``, ``12 d``."""
    whole = max(0, int(seconds))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if whole >= 2 * size or (whole >= size and unit == "min"):
            return f"{whole // size} {unit}"
    return f"{whole} s"


def moment(seconds: float) -> str:
    """A time in UTC, for people."""
    return (iso(seconds) or "").replace("T", " ").replace("Z", " UTC")


def plural(count: int, thing: str) -> str:
    """``1 token``, ``2 tokens``."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
