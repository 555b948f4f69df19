"""The rows of a board in another order. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from podium.leaderboard.board import Document
from podium.leaderboard.role_names import ROLE_NAMES
from podium.leaderboard.rows.row_order import in_order
from podium.textutil.fold import fold

Entry = dict[str, Any]

_TEXT = {"name": "name", "account": "username", "email": "email"}
_NUMBERS = {"commits": "commitCount", "merges": "mergeCount", "co-authored": "coAuthoredCount", "ai": "aiCount"}
# The first commit of all comes first, and so does the latest one.
_DATES = {"first": "firstCommitAt", "last": "lastCommitAt"}
_ROLES = {role.option: role.field for role in ROLE_NAMES}
OF_ROLES = tuple(_ROLES)
COLUMNS = (*_NUMBERS, *_TEXT, *_DATES, *OF_ROLES)


def sorted_rows(document: Document, column: str, *, reverse: bool) -> Document:
    """``document`` with its rows in the order of a column: see :mod:`podium.leaderboard.rows.row_order`.

    Args:
        document: with all rows of the board; with roles for one of :data:`OF_ROLES`.
        column: one of :data:`COLUMNS`.
    """
    value, largest_first = _value(column)
    rows = in_order(document["top_contributors"], value, largest_first=largest_first, reverse=reverse)
    order = {"sort": {"column": column, "reverse": reverse}}
    return document | order | {"top_contributors": rows}


def _value(column: str) -> tuple[Callable[[Entry], Any], bool]:
    """The value of an entry, and whether the largest comes first."""
    if column in _TEXT:
        return lambda entry: fold(entry[_TEXT[column]] or ""), False
    if column in _ROLES:
        return lambda entry: entry["roles"][_ROLES[column]], True
    if column in _NUMBERS:
        return lambda entry: entry[_NUMBERS[column]], True
    return lambda entry: entry[_DATES[column]], column == "last"
