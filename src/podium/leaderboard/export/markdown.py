"""A board as GitHub-flavoured Markdown, with names escaped. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any

from podium.leaderboard.board import Document
from podium.leaderboard.export.summary import (
    AI_COLUMN,
    day_of_row,
    footnotes,
    headlines,
    marks_of_row,
    notes_of_marks,
    title,
)
from podium.leaderboard.role_names import ROLE_NAMES
from podium.textutil.sanitize import clean

# Written as character references, which are never structure (CommonMark 2.5): a table splits at | before backslashes
# are read.
_AS_NUMBER = "&<>|\\`"
# Written with a backslash: other marks, and what turns bare text into a link (://, www., e-mails).
_SPECIAL = re.compile(r"[&<>|\\`*_{}\[\]#~^$=@]|:(?=\S)|(?<=www)\.", re.IGNORECASE)
# GitHub links @user and #1 after it removes escapes: a zero-width character separates them.
_PART = "\u2060"
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9._~:/%\[\]-]+")

_ACCOUNT, _EMAIL, _AI = "Account", "E-mail", "AI declared"
_LEFT = ("Name", _ACCOUNT, _EMAIL, "First commit", "Last commit")
_ALWAYS = ("#", "Name", "Commits")
_EMPTY = frozenset(("", "0"))


def markdown(pages: Iterable[Document]) -> Iterator[str]:
    """Columns without a value are left out, so all rows are read before the first one is written."""
    document, table, marks = None, _Table(), set[str]()
    for page in pages:
        document = document or page
        for entry in page["top_contributors"]:
            table.add(_cells(document, entry))
            marks.update(marks_of_row(document, entry))
    if document is None:
        return
    yield f"## {escape(title(document))}\n\n"
    yield "  \n".join(map(escape, headlines(document))) + "\n"
    labels = table.labels()
    if table.rows:
        yield "\n" + _head(labels)
        yield from table.lines(labels)
    notes = [*footnotes(document, len(table.rows)), *notes_of_marks(document, marks).values()]
    if _AI in labels:
        notes.append(f"{_AI}: {AI_COLUMN}.")
    if notes:
        yield "\n" + "  \n".join(map(escape, notes)) + "\n"


class _Table:
    """Rows of all columns, in one string each: a board may have very many."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self._all: tuple[str, ...] = ()
        self._used = set(_ALWAYS)

    def add(self, cells: dict[str, str]) -> None:
        self._all = tuple(cells)
        self._used.update(label for label, cell in cells.items() if cell not in _EMPTY)
        # No cell has a line break.
        self.rows.append("\n".join(cells.values()))

    def labels(self) -> list[str]:
        """The columns to show. E-mails distinguish people without accounts."""
        hidden = {_EMAIL} if _ACCOUNT in self._used else set()
        return [label for label in self._all if label in self._used - hidden]

    def lines(self, labels: list[str]) -> Iterator[str]:
        shown = [label in labels for label in self._all]
        for row in self.rows:
            cells = itertools.compress(row.split("\n"), shown)
            yield f"| {' | '.join(cells)} |\n"


def escape(text: str) -> str:
    """``text`` on one line that Markdown shows unchanged, without links and mentions."""
    return _SPECIAL.sub(_escaped, clean(text))


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if character in _AS_NUMBER:
        return f"&#{ord(character)};"
    return f"\\{character}{_PART if character in '@#' else ''}"


def _head(labels: list[str]) -> str:
    lines = ":" + "-" * 5, "-" * 5 + ":"
    return f"| {' | '.join(labels)} |\n|{'|'.join(lines[label not in _LEFT] for label in labels)}|\n"


def _cells(document: Document, entry: dict[str, Any]) -> dict[str, str]:
    cells = {
        "#": f"{entry['rank']}",
        "Name": f"{escape(entry['name']) or '(no name)'}{_notes(document, entry)}",
        _ACCOUNT: _account(entry),
        _EMAIL: escape(entry["email"] or ""),
        "Commits": f"{entry['commitCount']:,}",
        "Share": f"{entry['share']:.1%}",
        "Merges": f"{entry['mergeCount']:,}",
        "Co-authored": f"{entry['coAuthoredCount']:,}",
        _AI: f"{entry['aiCount']:,}",
    }
    if "roles" in entry:
        cells |= {role.label: f"{entry['roles'][role.field]:,}" for role in ROLE_NAMES}
    return cells | {
        "First commit": day_of_row(entry, "firstCommitAt"),
        "Last commit": day_of_row(entry, "lastCommitAt"),
    }


def _notes(document: Document, entry: dict[str, Any]) -> str:
    notes = ["bot"] * (entry["isBot"] and not entry["name"].endswith("[bot]"))
    notes += marks_of_row(document, entry)
    return f" ({', '.join(notes)})" if notes else ""


def _account(entry: dict[str, Any]) -> str:
    username, url = escape(entry["username"] or ""), entry["profileUrl"] or ""
    if not username or not _PLAIN_URL.fullmatch(url):
        return username
    return f"[{username}]({url.replace('[', '%5B').replace(']', '%5D')})"
