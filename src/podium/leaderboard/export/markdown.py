"""A board as GitHub-flavoured Markdown, with names escaped. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from podium.leaderboard.board import Document
from podium.leaderboard.export.summary import footnotes, headlines, title
from podium.textutil.sanitize import clean

# As character references, which are never structure (CommonMark 2.5): a table splits at | before it reads backslashes.
_AS_NUMBER = "&<>|\\`"
# With a backslash: other marks, and what turns bare text into a link (://, www., e-mails).
_SPECIAL = re.compile(r"[&<>|\\`*_{}\[\]#~^$=@]|:(?=\S)|(?<=www)\.", re.IGNORECASE)
# GitHub links @user and #1 after it removes escapes: a zero-width character separates them.
_PART = "\u2060"
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9._~:/%\[\]-]+")

_HEAD = (
    "| # | Name | Account | Commits | Share | Merges | Co-authored | First commit | Last commit |\n"
    "|--:|:-----|:--------|--------:|------:|-------:|------------:|:-------------|:------------|\n"
)


def markdown(pages: Iterable[Document]) -> Iterator[str]:
    document, shown = None, 0
    for page in pages:
        if document is None:
            document = page
            yield f"## {escape(title(document))}\n\n"
            yield "  \n".join(map(escape, headlines(document))) + "\n"
        if page["top_contributors"]:
            yield ("" if shown else "\n" + _HEAD) + "".join(map(_row, page["top_contributors"]))
            shown += len(page["top_contributors"])
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


def _row(entry: dict[str, Any]) -> str:
    name = escape(entry["name"]) or "(no name)"
    cells = (
        f"{entry['rank']}",
        f"{name} (bot)" if entry["isBot"] and not entry["name"].endswith("[bot]") else name,
        _account(entry),
        f"{entry['commitCount']:,}",
        f"{entry['share']:.1%}",
        f"{entry['mergeCount']:,}",
        f"{entry['coAuthoredCount']:,}",
        (entry["firstCommitAt"] or "")[:10],
        (entry["lastCommitAt"] or "")[:10],
    )
    return f"| {' | '.join(cells)} |\n"


def _account(entry: dict[str, Any]) -> str:
    username, url = escape(entry["username"] or ""), entry["profileUrl"] or ""
    if not username or not _PLAIN_URL.fullmatch(url):
        return username
    return f"[{username}]({url.replace('[', '%5B').replace(']', '%5D')})"
