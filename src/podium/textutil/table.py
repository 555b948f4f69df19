"""Tables of plain text for a terminal. All text here is cleaned."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from podium.textutil.width import cut, width


def column_widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """The widest cell of each column; all rows have the same number of cells."""
    return [max(map(width, column)) for column in zip(*rows, strict=True)]


def text_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Collection[int] = (),
    *,
    widths: Sequence[int] | None = None,
    gap: int = 2,
    rule: bool = False,
) -> str:
    """``rows`` below ``head``, one line for each.

    Args:
        right: numbers of the columns that are aligned to the right.
        widths: columns that each cell may take; a longer cell is cut. None: as many as the widest cell needs.
        gap: spaces between two columns.
        rule: whether a line of dashes follows the head.
    """
    if widths is None:
        widths = column_widths([head, *rows])
    lines = [_line(row, widths, right, " " * gap) for row in (head, *rows)]
    if rule:
        lines.insert(1, (" " * gap).join("-" * wide for wide in widths))
    return "\n".join(lines)


def _line(row: Sequence[str], widths: Sequence[int], right: Collection[int], gap: str) -> str:
    cells = []
    for number, (cell, wide) in enumerate(zip(row, widths, strict=True)):
        shown = cut(cell, wide) if width(cell) > wide else cell
        padding = " " * (wide - width(shown))
        cells.append(padding + shown if number in right else shown + padding)
    return gap.join(cells).rstrip(" ")
