"""A board in each export format. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from podium.errors import BadRule
from podium.leaderboard.board import Document
from podium.leaderboard.counts.row_roles import ROLES
from podium.textutil.sanitize import clean, escape_json

FORMATS = ("table", "json", "csv", "markdown")

CSV_FIELDS = (
    "rank",
    "username",
    "githubId",
    "name",
    "email",
    "profileUrl",
    "avatarUrl",
    "commitCount",
    "share",
    "mergeCount",
    "coAuthoredCount",
    "aiCount",
    "firstCommitAt",
    "lastCommitAt",
    "oddDates",
    "isBot",
    "isEnriched",
    "joinedByName",
    "isNew",
    "isBack",
)

# A cell that begins with one of these is a formula in Excel and LibreOffice; the last four are full-width.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


FILES = ("json", "csv", "markdown")


def render(document: Document, format: str, *, width: int | None = 80, roles: bool = False) -> str:
    """Render ``document`` (see :func:`podium.leaderboard.board.read_board`).

    Args:
        format: one of :data:`FORMATS`.
        width: the columns of a table; None is unlimited.
        roles: whether the rows have ``roles``.

    Returns:
        Text that ends in a line break and contains no control characters but line breaks.

    Raises:
        BadRule: the format does not exist.
    """
    if format == "table":
        from podium.leaderboard.export.terminal import render_table

        return render_table(document, width)
    return "".join(stream([document], format, roles=roles))


def stream(pages: Iterable[Document], format: str, *, roles: bool = False) -> Iterator[str]:
    """Write a board piece by piece.

    Args:
        pages: documents of one board with consecutive rows; everything but the rows comes from the first.
        format: one of :data:`FILES`.
        roles: whether the rows have ``roles``.

    Raises:
        BadRule: the format does not exist.
    """
    match format:
        case "json":
            return _json(pages)
        case "csv":
            return _csv(pages, roles)
        case "markdown":
            from podium.leaderboard.export.markdown import markdown

            return markdown(pages)
    raise BadRule(f"format cannot be {format[:40]!r}: choose {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")


def _json(pages: Iterable[Document]) -> Iterator[str]:
    rows = 0
    for number, page in enumerate(pages):
        if number == 0:
            around = {name: value for name, value in page.items() if name != "top_contributors"}
            yield escape_json(_indented(around)).removesuffix("\n}") + ',\n  "top_contributors": ['
        for entry in page["top_contributors"]:
            # Line breaks within strings are escaped: these are the document's own.
            yield ("," if rows else "") + escape_json("\n" + _indented(entry)).replace("\n", "\n    ")
            rows += 1
    yield ("\n  ]" if rows else "]") + "\n}\n"


def _indented(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _csv(pages: Iterable[Document], roles: bool) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    fields = CSV_FIELDS + ROLES if roles else CSV_FIELDS
    writer.writerow(fields)
    for page in pages:
        for entry in page["top_contributors"]:
            values = entry | entry["roles"] if roles else entry
            writer.writerow([_cell(values[field]) for field in fields])
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def _cell(value: Any) -> Any:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            text = clean(value)
            # A leading apostrophe marks text in a spreadsheet.
            return f"'{text}" if text.startswith(_FORMULA) else text
        case float():
            return f"{value:.6f}"
    return value
