"""A board as GitHub-flavoured Markdown, with names escaped. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from podium.leaderboard.board import Document
from podium.leaderboard.export.summary import day_of_row, footnotes, headlines, marks_of_row, title
from podium.textutil.sanitize import clean

# As character references, which are never structure (CommonMark 2.5): a table splits at | before it reads backslashes.
_AS_NUMBER = "&<>|\\`"
# With a backslash: other marks, and what turns bare text into a link (://, www., e-mails).
_SPECIAL = re.compile(r"[&<>|\\`*_{}\[\]#~^$=@]|:(?=\S)|(?<=www)\.", re.IGNORECASE)
# GitHub links @user and #1 after it removes escapes: a zero-width character separates them.
_PART = "\u2060"
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9._~:/%\[\]-]+")

_ROLES = (
    ("reviewed", "Reviewed"),
    ("tested", "Tested"),
    ("acked", "Acked"),
    ("signedOff", "Signed off"),
    ("reported", "Reported"),
    ("suggested", "Suggested"),
    ("helped", "Helped"),
)
_LEFT = ("Name", "Account", "First commit", "Last commit")


def markdown(pages: Iterable[Document]) -> Iterator[str]:
    document, shown = None, 0
    for page in pages:
        if document is None:
            document = page
            yield f"## {escape(title(document))}\n\n"
            yield "  \n".join(map(escape, headlines(document))) + "\n"
        rows = [_cells(document, entry) for entry in page["top_contributors"]]
        if rows:
            yield ("" if shown else "\n" + _head(rows[0])) + "".join(map(_row, rows))
            shown += len(rows)
    notes = footnotes(document, shown) if document else []
    if notes:
        yield "\n" + "  \n".join(map(escape, notes)) + "\n"


def escape(text: str) -> str:
    """``text`` on one line that Markdown shows unchanged, without links and mentions."""
    return _SPECIAL.sub(_escaped, clean(text))


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if character in _AS_NUMBER:
        return f"&#{ord(character)};"
    return f"\\{character}{_PART if character in '@#' else ''}"


def _head(row: dict[str, str]) -> str:
    lines = ":" + "-" * 5, "-" * 5 + ":"
    return f"| {' | '.join(row)} |\n|{'|'.join(lines[label not in _LEFT] for label in row)}|\n"


def _row(row: dict[str, str]) -> str:
    return f"| {' | '.join(row.values())} |\n"


def _cells(document: Document, entry: dict[str, Any]) -> dict[str, str]:
    cells = {
        "#": f"{entry['rank']}",
        "Name": f"{escape(entry['name']) or '(no name)'}{_notes(document, entry)}",
        "Account": _account(entry),
        "Commits": f"{entry['commitCount']:,}",
        "Share": f"{entry['share']:.1%}",
        "Merges": f"{entry['mergeCount']:,}",
        "Co-authored": f"{entry['coAuthoredCount']:,}",
    }
    if document["aiCommits"]:
        cells["AI declared"] = f"{entry['aiCount']:,}"
    if "roles" in entry:
        cells |= {label: f"{entry['roles'][role]:,}" for role, label in _ROLES}
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
