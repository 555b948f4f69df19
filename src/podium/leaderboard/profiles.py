"""Accounts on their own, apart from any board."""

from __future__ import annotations

import dataclasses

from podium.leaderboard.board import avatar_url
from podium.storage.session import Session


@dataclasses.dataclass(frozen=True, slots=True)
class Account:
    """Who somebody is at the configured host. ``picture`` is where their picture is, as far as that is known."""

    username: str | None
    name: str | None
    picture: str | None


def find_account(session: Session, host: str, account_id: int, github_url: str) -> Account | None:
    """The account with that number (``githubId``) at ``host``; None where no history that was counted named it."""
    row = session.one(
        "SELECT account_id, username, name, avatar_url FROM contributor WHERE host = :host AND account_id = :id",
        host=host,
        id=account_id,
    )
    return None if row is None else Account(row["username"], row["name"], avatar_url(row, github_url))
