"""A board as a table for the terminal. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from podium.leaderboard.board import Document
from podium.leaderboard.export.summary import day_of_row, footnotes, headlines, marks_of_row, title
from podium.textutil.sanitize import clean
from podium.textutil.table import column_widths, text_table

Entry = dict[str, Any]

# Columns of free text share the room that the others leave.
_NAME, _ACCOUNT = "Name", "Account"
_LEAST_NAME, _LEAST_ACCOUNT = 10, 8
_SHORT = {"joined by name": "="}
# What a narrow terminal leaves out, in this order.
_LEFT_OUT = ("Share", "Co-auth", "Merges")


def _name(entry: Entry) -> str:
    name = clean(entry["name"]) or "(no name)"
    return f"{name} (bot)" if entry["isBot"] and not name.endswith("[bot]") else name


def _email(entry: Entry) -> str:
    return clean(entry["email"] or "")


def _number(field: str) -> Callable[[Entry], str]:
    return lambda entry: f"{entry[field]:,}"


def _role(role: str) -> Callable[[Entry], str]:
    return lambda entry: f"{entry['roles'][role]:,}"


Fields = dict[str, Callable[[Entry], str]]

_WHO: Fields = {"#": _number("rank"), _NAME: _name}
_COLUMNS: Fields = _WHO | {
    _ACCOUNT: lambda entry: clean(entry["username"] or ""),
    "Commits": _number("commitCount"),
    "Share": lambda entry: f"{entry['share']:.1%}",
    "Merges": _number("mergeCount"),
    "Co-auth": _number("coAuthoredCount"),
    "AI": _number("aiCount"),
    "First": lambda entry: day_of_row(entry, "firstCommitAt"),
    "Last": lambda entry: day_of_row(entry, "lastCommitAt"),
}
# Roles take the room of everything else.
_ROLES: Fields = _WHO | {
    "Commits": _number("commitCount"),
    "Reviewed": _role("reviewed"),
    "Tested": _role("tested"),
    "Acked": _role("acked"),
    "Signed": _role("signedOff"),
    "Reported": _role("reported"),
    "Suggested": _role("suggested"),
    "Helped": _role("helped"),
}
_LEFT = (_NAME, _ACCOUNT, "E-mail", "Note")


def render_table(document: Document, columns: int | None) -> str:
    """Lines of at most ``columns``; None is no limit. Numbers are never cut: about 70 is the minimum."""
    lines = [clean(title(document)), *map(clean, headlines(document))]
    entries = document["top_contributors"]
    if entries:
        lines += ["", _table(document, columns)]
    notes = footnotes(document)
    if any(entry["joinedByName"] and "roles" not in entry for entry in entries):
        notes.append("= joined by name: rows of one full name; --names apart keeps them apart.")
    if notes:
        lines += ["", *map(clean, notes)]
    return "".join(f"{line}\n" for line in lines)


def _table(document: Document, columns: int | None) -> str:
    entries = document["top_contributors"]
    fields = _ROLES if "roles" in entries[0] else _fields(document, columns)
    rows, widths = _cells(entries, fields)
    gap = _fit(list(fields), widths, columns)
    right = [number for number, label in enumerate(fields) if label not in _LEFT]
    return text_table(rows[0], rows[1:], right, widths=widths, gap=gap, rule=True)


def _fields(document: Document, columns: int | None) -> Fields:
    entries = document["top_contributors"]
    empty = {
        _ACCOUNT: not any(entry["username"] for entry in entries),
        "AI": not document["aiCommits"],
    }
    fields = {label: cell for label, cell in _COLUMNS.items() if not empty.get(label)}
    if any(marks_of_row(document, entry) for entry in entries):
        fields |= {"Note": lambda entry: " ".join(_SHORT.get(mark, mark) for mark in marks_of_row(document, entry))}
    if empty[_ACCOUNT] and any(entry["email"] for entry in entries):
        # Without accounts, e-mails distinguish people with the same name.
        with_emails = _WHO | {"E-mail": _email} | fields
        if columns is None or sum(_cells(entries, with_emails)[1]) + len(with_emails) - 1 <= columns:
            fields = with_emails
    for label in _LEFT_OUT:
        if columns is not None and _least(entries, fields) > columns:
            del fields[label]
    return fields


def _cells(entries: list[Entry], fields: Fields) -> tuple[list[list[str]], list[int]]:
    rows = [list(fields), *([cell(entry) for cell in fields.values()] for entry in entries)]
    return rows, column_widths(rows)


def _least(entries: list[Entry], fields: Fields) -> int:
    """The columns of a table whose free text is as narrow as it may be."""
    widths = dict(zip(fields, _cells(entries, fields)[1], strict=True))
    least = {_NAME: _LEAST_NAME, _ACCOUNT: _LEAST_ACCOUNT}
    return sum(min(wide, least.get(label, wide)) for label, wide in widths.items()) + len(fields) - 1


def _fit(labels: list[str], widths: list[int], columns: int | None) -> int:
    """Narrow the free text in ``widths`` until the table fits; return the gap between columns."""
    gaps = len(widths) - 1
    if columns is None or sum(widths) + 2 * gaps <= columns:
        return 2
    name = labels.index(_NAME)
    room = columns - gaps - (sum(widths) - widths[name])
    if _ACCOUNT in labels:
        place = labels.index(_ACCOUNT)
        room += widths[place]
        account = min(widths[place], max(_LEAST_ACCOUNT, room * 2 // 5, room - widths[name]))
        widths[place] = account
        room -= account
    widths[name] = min(widths[name], max(_LEAST_NAME, room))
    return 1
