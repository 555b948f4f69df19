"""A board as a table for the terminal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from podium.leaderboard.board import Document
from podium.leaderboard.export.summary import footnotes, headlines, title
from podium.textutil.sanitize import clean
from podium.textutil.table import column_widths, text_table

Entry = dict[str, Any]

# Columns of free text share the room that the others leave.
_NAME, _ACCOUNT = 1, 2
_LEAST_NAME, _LEAST_ACCOUNT = 10, 8


def _name(entry: Entry) -> str:
    name = clean(entry["name"]) or "(no name)"
    return f"{name} (bot)" if entry["isBot"] and not name.endswith("[bot]") else name


Field = tuple[str, Callable[[Entry], str]]

_EMAIL: Field = ("E-mail", lambda entry: clean(entry["email"] or ""))
_COLUMNS: tuple[Field, ...] = (
    ("#", lambda entry: f"{entry['rank']}"),
    ("Name", _name),
    ("Account", lambda entry: clean(entry["username"] or "")),
    ("Commits", lambda entry: f"{entry['commitCount']:,}"),
    ("Share", lambda entry: f"{entry['share']:.1%}"),
    ("Merges", lambda entry: f"{entry['mergeCount']:,}"),
    ("Co-auth", lambda entry: f"{entry['coAuthoredCount']:,}"),
    ("First", lambda entry: (entry["firstCommitAt"] or "")[:10]),
    ("Last", lambda entry: (entry["lastCommitAt"] or "")[:10]),
)


def render_table(document: Document, columns: int | None) -> str:
    """Lines of at most ``columns``; None is no limit. Numbers are never cut: about 70 is the minimum."""
    lines = [clean(title(document)), *map(clean, headlines(document))]
    if document["top_contributors"]:
        lines += ["", _table(document["top_contributors"], columns)]
    notes = footnotes(document)
    if notes:
        lines += ["", *map(clean, notes)]
    return "".join(f"{line}\n" for line in lines)


def _table(entries: list[Entry], columns: int | None) -> str:
    rows, widths = _cells(entries, _COLUMNS)
    if not any(entry["username"] for entry in entries) and any(entry["email"] for entry in entries):
        # Without accounts, e-mails distinguish people with the same name.
        with_emails = _cells(entries, (*_COLUMNS[:_ACCOUNT], _EMAIL, *_COLUMNS[_ACCOUNT + 1 :]))
        if columns is None or sum(with_emails[1]) + len(_COLUMNS) - 1 <= columns:
            rows, widths = with_emails
    gap = _fit(widths, columns)
    right = [number for number in range(len(widths)) if number not in (_NAME, _ACCOUNT)]
    return text_table(rows[0], rows[1:], right, widths=widths, gap=gap, rule=True)


def _cells(entries: list[Entry], fields: Sequence[Field]) -> tuple[list[list[str]], list[int]]:
    rows = [[label for label, _ in fields], *([cell(entry) for _, cell in fields] for entry in entries)]
    return rows, column_widths(rows)


def _fit(widths: list[int], columns: int | None) -> int:
    """Narrow the free text in ``widths`` until the table fits; return the gap between columns."""
    gaps = len(widths) - 1
    if columns is None or sum(widths) + 2 * gaps <= columns:
        return 2
    room = columns - gaps - (sum(widths) - widths[_NAME] - widths[_ACCOUNT])
    account = min(widths[_ACCOUNT], max(_LEAST_ACCOUNT, room * 2 // 5, room - widths[_NAME]))
    widths[_ACCOUNT] = account
    widths[_NAME] = min(widths[_NAME], max(_LEAST_NAME, room - account))
    return 1
