"""A board as a table for the terminal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from podium.leaderboard.board import Document
from podium.leaderboard.export.summary import day_of_row, footnotes, headlines, marks_of_row, title
from podium.textutil.sanitize import clean
from podium.textutil.table import column_widths, text_table
from podium.textutil.width import width

Entry = dict[str, Any]

# Columns of free text share the room that the others leave.
_NAME, _ACCOUNT, _NOTE = "Name", "Account", "Note"
# Every other column is left out before a name has less room than this, or an account.
_LEAST = {_NAME: 24, _ACCOUNT: 12}
_ALWAYS = ("#", _NAME, "Commits")
# The columns of --sort with another label.
_SORTED = {"co-authored": "Co-auth", "ai": "AI", "email": "E-mail", "signed-off": "Signed"}
_SHORT = {"joined by name": "="}
_EMPTY = ("", "0")
# What a narrow terminal leaves out, in this order: the first columns before a name is cut, the others before it is
# cut to less than its least width.
_BEFORE_NAMES = ("First", "Last", "Co-auth")
_LEFT_OUT = (*_BEFORE_NAMES, "Share", "AI", "Merges", _NOTE, _ACCOUNT)
_ROLES_LEFT_OUT = ("Helped", "Suggested", "Reported", "Signed", "Acked", "Tested", "Reviewed")
# A longer name is cut rather than a column left out.
_LONG_NAME = 40
_SHORTEST_NAME = 4


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
_LEFT = (_NAME, _ACCOUNT, "E-mail", _NOTE)


def render_table(document: Document, columns: int | None) -> str:
    """Lines of at most ``columns``; None is no limit. Numbers are never cut: 20 columns hold those below a million."""
    entries = document["top_contributors"]
    lines = [title(document), *headlines(document)]
    fields = _fields(document, columns) if entries else {}
    notes = footnotes(document, hints=True)
    if _NOTE in fields and any(entry["joinedByName"] for entry in entries):
        notes.append("= joined by name: rows of one full name; --names apart keeps them apart.")
    if entries and "roles" in entries[0]:
        notes += _note_of_roles(entries, fields)
    blocks = [_wrapped(lines, columns), _table(entries, fields, columns) if fields else "", _wrapped(notes, columns)]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _note_of_roles(entries: list[Entry], fields: Fields) -> list[str]:
    used = _used(entries, _ROLES)
    if not used.keys() - _ALWAYS:
        return ["No one in these rows has a role, such as reviewer."]
    left_out = [label for label in used if label not in fields]
    return [f"A wider terminal also shows: {', '.join(left_out)}."] if left_out else []


def _wrapped(lines: list[str], columns: int | None) -> str:
    return "\n".join(_wrap(clean(line), columns) for line in lines)


def _wrap(line: str, columns: int | None) -> str:
    if columns is None or width(line) <= columns:
        return line
    import textwrap

    return textwrap.fill(line, columns, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _table(entries: list[Entry], fields: Fields, columns: int | None) -> str:
    rows = _rows(entries, fields)
    widths = column_widths(rows)
    gap = _fit(list(fields), widths, columns)
    right = [number for number, label in enumerate(fields) if label not in _LEFT]
    return text_table(rows[0], rows[1:], right, widths=widths, gap=gap, rule=True)


def _fields(document: Document, columns: int | None) -> Fields:
    """The columns that have a value in some row, as many as there is room for, and the one that rows are sorted by."""
    entries, kept = document["top_contributors"], _sorted_by(document)
    if "roles" in entries[0]:
        return _narrowed(_used(entries, _ROLES), entries, columns, _without(_ROLES_LEFT_OUT, kept))
    marks = {_NOTE: lambda entry: " ".join(_SHORT.get(mark, mark) for mark in marks_of_row(document, entry))}
    fields = _used(entries, _COLUMNS | marks)
    if _ACCOUNT not in fields:
        # Without accounts, e-mails distinguish people with the same name.
        with_emails = _used(entries, _WHO | {"E-mail": _email} | fields)
        if kept == "E-mail" or columns is None or _room(entries, with_emails, {}) <= columns:
            fields = with_emails
    return _narrowed(fields, entries, columns, _without(_LEFT_OUT, kept))


def _used(entries: list[Entry], fields: Fields) -> Fields:
    return {
        label: cell
        for label, cell in fields.items()
        if label in _ALWAYS or any(cell(entry) not in _EMPTY for entry in entries)
    }


def _sorted_by(document: Document) -> str | None:
    order = document.get("sort")
    return None if order is None else _SORTED.get(order["column"], order["column"].capitalize())


def _without(labels: Iterable[str], kept: str | None) -> list[str]:
    return [label for label in labels if label != kept]


def _narrowed(fields: Fields, entries: list[Entry], columns: int | None, left_out: Iterable[str]) -> Fields:
    if columns is None:
        return fields
    for label in left_out:
        most = {_NAME: _LONG_NAME} if label in _BEFORE_NAMES else _LEAST
        if label in fields and _room(entries, fields, most) > columns:
            fields = {other: cell for other, cell in fields.items() if other != label}
    return fields


def _rows(entries: list[Entry], fields: Fields) -> list[list[str]]:
    return [list(fields), *([cell(entry) for cell in fields.values()] for entry in entries)]


def _room(entries: list[Entry], fields: Fields, most: Mapping[str, int]) -> int:
    """The width of a table whose columns of free text are no wider than ``most``."""
    widths = dict(zip(fields, column_widths(_rows(entries, fields)), strict=True))
    return sum(min(wide, most.get(label, wide)) for label, wide in widths.items()) + len(fields) - 1


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
        widths[place] = min(widths[place], max(_LEAST[_ACCOUNT], room * 2 // 5, room - widths[name]))
        room -= widths[place]
    widths[name] = min(widths[name], max(_SHORTEST_NAME, room))
    return 1
