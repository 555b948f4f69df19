"""What the row of a forgotten person has instead of names and e-mails.

:mod:`podium.blocks.forgotten_people` makes it.
"""

from __future__ import annotations

from typing import NamedTuple


class StoredPerson(NamedTuple):
    """The texts of the row of a forgotten person."""

    email: str
    name: str
    mailmap_email: str
    mailmap_name: str
    mailmap_identity: str


def is_removed(email: str) -> bool:
    """Whether the ``email`` of a row says that its person was forgotten."""
    return email[:1] == "<" and email[-1:] == ">"


# :func:`is_removed` in SQL.
IS_REMOVED = "email >= '<' AND email < '=' AND email LIKE '%>'"
