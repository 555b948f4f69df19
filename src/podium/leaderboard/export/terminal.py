"""A board as a table for the terminal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from podium.leaderboard.board import Document
from podium.leaderboard.export.summary import (
    AI_COLUMN,
    JOINED,
    day_of_row,
    footnotes,
    headlines,
    marks_of_row,
    notes_of_marks,
    title,
)
from podium.leaderboard.role_names import ROLE_NAMES
from podium.textutil.sanitize import clean
from podium.textutil.table import text_table
from podium.textutil.width import width

Entry = dict[str, Any]

# Columns of free text share the room that the others leave.
_NAME, _ACCOUNT, _EMAIL, _NOTE = "Name", "Account", "E-mail", "Note"
# Every other column is left out before a name has less room than this, or an account.
_LEAST = {_NAME: 24, _ACCOUNT: 12}
_ALWAYS = ("#", _NAME, "Commits")
# The columns of --sort with another label.
_SORTED = {"co-authored": "Co-auth", "ai": "AI", "email": _EMAIL, "signed-off": "Signed"}
_SHORT = {JOINED: "="}
_EMPTY = frozenset(("", "0"))
_EXPLAINED = {"Co-auth": "commits that name the person as co-author, ranked or not", "AI": AI_COLUMN}
# What a narrow terminal leaves out, in this order: e-mails before anything is cut, the first columns before a name is,
# the others before it is cut to less than its least width.
_BEFORE_NAMES = ("First", "Last", "Co-auth")
_OF_ROLES = tuple(role.short_label for role in reversed(ROLE_NAMES))
_LEFT_OUT = (_EMAIL, *_BEFORE_NAMES, *_OF_ROLES, "Share", "AI", "Merges", _NOTE, _ACCOUNT)
# A longer name is cut rather than a column left out.
_LONG_NAME = 40
_SHORTEST_NAME = 4


def _name(entry: Entry) -> str:
    name = clean(entry["name"]) or "(no name)"
    return f"{name} (bot)" if entry["isBot"] and not name.endswith("[bot]") else name


def _number(field: str) -> Callable[[Entry], str]:
    return lambda entry: f"{entry[field]:,}"


def _role(role: str) -> Callable[[Entry], str]:
    return lambda entry: f"{entry['roles'][role]:,}"


Fields = dict[str, Callable[[Entry], str]]

_WHO: Fields = {"#": _number("rank"), _NAME: _name}
_BOARD: Fields = _WHO | {
    _ACCOUNT: lambda entry: clean(entry["username"] or ""),
    # Without accounts, e-mails distinguish people with the same name.
    _EMAIL: lambda entry: clean(entry["email"] or ""),
    "Commits": _number("commitCount"),
    "Share": lambda entry: f"{entry['share']:.1%}",
    "Merges": _number("mergeCount"),
    "Co-auth": _number("coAuthoredCount"),
    "AI": _number("aiCount"),
    "First": lambda entry: day_of_row(entry, "firstCommitAt"),
    "Last": lambda entry: day_of_row(entry, "lastCommitAt"),
}
# Roles take the room of everything else.
_ROLES: Fields = {
    **_WHO,
    "Commits": _number("commitCount"),
    **{role.short_label: _role(role.field) for role in ROLE_NAMES},
}
_LEFT = (_NAME, _ACCOUNT, _EMAIL, _NOTE)


class Column(NamedTuple):
    cells: list[str]
    width: int


Columns = dict[str, Column]


def render_table(document: Document, columns: int | None) -> str:
    """Lines of at most ``columns``; None: no limit. Numbers are never cut: 20 columns hold those below a million."""
    entries = document["top_contributors"]
    lines = [title(document), *headlines(document)]
    used = _used(document) if entries else {}
    shown = used if columns is None else _fitting(used, columns, _sorted_by(document))
    notes = footnotes(document, hints=True)
    if _NOTE in shown:
        marks = {mark for entry in entries for mark in marks_of_row(document, entry)}
        for mark, note in notes_of_marks(document, marks, hints=True).items():
            notes.append(f"{_SHORT[mark]} {note}" if mark in _SHORT else note)
    notes += [f"{label}: {note}." for label, note in _EXPLAINED.items() if label in shown]
    if entries and "roles" in entries[0]:
        notes += _note_of_roles(used, shown)
    blocks = [_wrapped(lines, columns), _table(shown, columns) if shown else "", _wrapped(notes, columns)]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _note_of_roles(used: Columns, shown: Columns) -> list[str]:
    if not used.keys() - _ALWAYS:
        return ["No one in these rows has a role, such as reviewer."]
    left_out = [label for label in used if label not in shown]
    return [f"A wider terminal also shows: {', '.join(left_out)}."] if left_out else []


def _wrapped(lines: list[str], columns: int | None) -> str:
    return "\n".join(_wrap(clean(line), columns) for line in lines)


def _wrap(line: str, columns: int | None) -> str:
    if columns is None or width(line) <= columns:
        return line
    import textwrap

    return textwrap.fill(line, columns, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _used(document: Document) -> Columns:
    """The columns that have a value in some row."""
    entries = document["top_contributors"]
    if "roles" in entries[0]:
        return _made(_ROLES, entries)
    marks = {_NOTE: lambda entry: " ".join(_SHORT.get(mark, mark) for mark in marks_of_row(document, entry))}
    used = _made(_BOARD | marks, entries)
    if _ACCOUNT in used:
        del used[_EMAIL]
    return used


def _made(fields: Fields, entries: list[Entry]) -> Columns:
    made = {}
    for label, cell in fields.items():
        cells = [cell(entry) for entry in entries]
        if label in _ALWAYS or not _EMPTY.issuperset(cells):
            made[label] = Column(cells, max(map(width, (label, *cells))))
    return made


def _sorted_by(document: Document) -> str | None:
    order = document.get("sort")
    return None if order is None else _SORTED.get(order["column"], order["column"].capitalize())


def _fitting(used: Columns, columns: int, kept: str | None) -> Columns:
    """The columns for which there is room, and the one that rows are sorted by."""
    shown = dict(used)
    for label in _LEFT_OUT:
        if label in shown and label != kept and _room(shown, _most(label)) > columns:
            del shown[label]
    return shown


def _most(label: str) -> Mapping[str, int]:
    """How wide free text must be able to be before a column is left out."""
    if label == _EMAIL:
        return {}
    return {_NAME: _LONG_NAME} if label in _BEFORE_NAMES else _LEAST


def _room(shown: Columns, most: Mapping[str, int]) -> int:
    """The width of a table whose columns of free text are no wider than ``most``."""
    return sum(min(column.width, most.get(label, column.width)) for label, column in shown.items()) + len(shown) - 1


def _table(shown: Columns, columns: int | None) -> str:
    widths = {label: column.width for label, column in shown.items()}
    gap = _fit(widths, columns)
    rows = list(zip(*(column.cells for column in shown.values()), strict=True))
    right = [number for number, label in enumerate(shown) if label not in _LEFT]
    return text_table(list(shown), rows, right, widths=list(widths.values()), gap=gap, rule=True)


def _fit(widths: dict[str, int], columns: int | None) -> int:
    """Narrow the free text in ``widths`` until the table fits; return the gap between columns."""
    gaps = len(widths) - 1
    if columns is None or sum(widths.values()) + 2 * gaps <= columns:
        return 2
    name = widths[_NAME]
    room = columns - gaps - (sum(widths.values()) - name)
    if _ACCOUNT in widths:
        room += widths[_ACCOUNT]
        widths[_ACCOUNT] = min(widths[_ACCOUNT], max(_LEAST[_ACCOUNT], room * 2 // 5, room - name))
        room -= widths[_ACCOUNT]
    widths[_NAME] = min(name, max(_SHORTEST_NAME, room))
    return 1
