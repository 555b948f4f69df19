"""A board in each export format. Pure."""

from __future__ import annotations

import csv
import decimal
import io
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from podium.errors import BadRule
from podium.leaderboard.board import Document
from podium.leaderboard.counts.row_roles import ROLES
from podium.leaderboard.export.summary import REMOVED
from podium.textutil.sanitize import clean, escape_json

FORMATS = ("table", "json", "csv", "markdown", "svg")

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

# A spreadsheet takes text that begins with one of these signs, in any width, for a formula. What follows a `;` or a tab
# can begin a cell too: a spreadsheet that separates columns by these ignores our quotes.
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212"
_FORMULA = re.compile(f'(^|[;\t\uff1b])(?=[\\s"]*[{_SIGNS}])')

FILES = ("json", "csv", "markdown")


def render(document: Document, format: str, *, width: int | None = 80, roles: bool = False, bom: bool = False) -> str:
    """Render ``document`` (see :func:`podium.leaderboard.board.read_board`).

    Args:
        format: one of :data:`FORMATS`.
        width: the columns of a table; None is unlimited.
        roles: whether the rows have ``roles``.
        bom: begin CSV with a byte-order mark, without which Excel takes UTF-8 for another encoding. Other formats have
            none.

    Returns:
        Text that ends in a line break and contains no control characters but line breaks. It is written as UTF-8, with
        its own line ends.

    Raises:
        BadRule: the format does not exist.
    """
    if format == "table":
        from podium.leaderboard.export.terminal import render_table

        return render_table(document, width)
    if format == "svg":
        from podium.leaderboard.export import card

        count = min(document["limit"] or card.FEW, card.MOST)
        return card.draw(card.of_board(document, {}, count=count, captions=True, theme="auto"))
    return "".join(stream([document], format, roles=roles, bom=bom))


def stream(pages: Iterable[Document], format: str, *, roles: bool = False, bom: bool = False) -> Iterator[str]:
    """Write a board piece by piece.

    Args:
        pages: documents of one board with consecutive rows; everything but the rows comes from the first.
        format: one of :data:`FILES`.
        roles: whether the rows have ``roles``.
        bom: as for :func:`render`.

    Raises:
        BadRule: the format does not exist.
    """
    match format:
        case "json":
            return _json(pages)
        case "csv":
            return _csv(pages, roles, bom)
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


def _csv(pages: Iterable[Document], roles: bool, bom: bool) -> Iterator[str]:
    out = io.StringIO()
    # Line ends as in RFC 4180. Text is quoted, so that a spreadsheet with another separator does not split it.
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    fields = CSV_FIELDS + ROLES if roles else CSV_FIELDS
    if bom:
        yield "\ufeff"
    writer.writerow(fields)
    removed = 0
    for page in pages:
        removed = page["removedCommits"]
        for entry in page["top_contributors"]:
            values = entry | entry["roles"] if roles else entry
            writer.writerow([_cell(values[field]) for field in fields])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    if removed:
        last = dict.fromkeys(fields) | {"name": REMOVED, "commitCount": removed}
        writer.writerow([_cell(value) for value in last.values()])
        yield out.getvalue()


def _cell(value: Any) -> Any:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _FORMULA.sub(r"\1'", clean(value))
        case float():
            # A number that is written with all of its digits, and so without quotes.
            return decimal.Decimal(f"{value:.6f}")
    return value
