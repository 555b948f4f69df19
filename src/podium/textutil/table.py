"""Tables of plain, cleaned text for a terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from podium.textutil.width import cut, isolated, width


def column_widths(rows: Sequence[Sequence[str]]) -> list[int]:
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
    """``rows`` below ``head``.

    Args:
        right: numbers of right-aligned columns.
        widths: longer cells are cut; None: the widest cell of each column.
        gap: spaces between columns.
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
        shown = isolated(shown)
        cells.append(padding + shown if number in right else shown + padding)
    return gap.join(cells).rstrip(" ")
