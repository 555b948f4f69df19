"""A board in each of its formats. Pure: the document in, text out."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from podium.errors import BadRule
from podium.leaderboard.board import Document
from podium.leaderboard.text import clean, escape_json

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
    "firstCommitAt",
    "lastCommitAt",
    "isBot",
    "isEnriched",
)

# What makes a formula of a cell in Excel and LibreOffice, the full-width signs of East Asian keyboards too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def render(document: Document, format: str, *, width: int | None = 80) -> str:
    """Write ``document`` (see :func:`podium.leaderboard.board.load_board`) in ``format``.

    Args:
        format: one of :data:`FORMATS`. `json` is the document itself. `csv` has a header and one record for each
            row, and nothing else. `markdown` and `table` are for people.
        width: columns that a table may take; None for as many as it needs.

    Returns:
        Text that ends in a line break. It may hold any character that can be shown, but no control character other
        than its own line breaks; write it out as UTF-8.

    Raises:
        BadRule: there is no such format.
    """
    match format:
        case "table":
            from podium.leaderboard.terminal import render_table

            return render_table(document, width)
        case "json":
            return escape_json(json.dumps(document, indent=2, ensure_ascii=False)) + "\n"
        case "csv":
            return _csv(document)
        case "markdown":
            from podium.leaderboard.markdown import render_markdown

            return render_markdown(document)
    raise BadRule(f"format cannot be {format[:40]!r}: choose {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")


def _csv(document: Document) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_FIELDS)
    for entry in document["top_contributors"]:
        writer.writerow([_cell(entry[field]) for field in CSV_FIELDS])
    return out.getvalue()


def _cell(value: Any) -> Any:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            text = clean(value)
            # The apostrophe is the spreadsheet's own mark for "this is text".
            return f"'{text}" if text.startswith(_FORMULA) else text
        case float():
            return f"{value:.6f}"
    return value
