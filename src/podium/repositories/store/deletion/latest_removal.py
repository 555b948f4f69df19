"""The latest removal: what a server keeps for the time when the database is away must not show them."""

from __future__ import annotations

from podium.storage.session import Session


def read(session: Session) -> tuple[object, ...]:
    """A value that changes when a repository is hidden, when an administrator removes a repository or a person, and
    while a worker takes a forgotten person off more boards.
    """
    row = session.one(
        """SELECT (SELECT max(hidden_at) FROM repository WHERE hidden_at IS NOT NULL) AS hidden,
            (SELECT max(id) FROM audit_log) AS acts,
            (SELECT min(swept_to) FROM block WHERE kind = 'person' AND swept_to IS NOT NULL) AS swept"""
    )
    return () if row is None else (row["hidden"], row["acts"], row["swept"])
