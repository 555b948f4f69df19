"""Accounts at the configured GitHub: their pages and their pictures."""

from __future__ import annotations

import dataclasses

from podium.repositories.address import host_of
from podium.storage.session import Row, Session


@dataclasses.dataclass(frozen=True, slots=True)
class AccountProfile:
    """An account without any board. ``picture`` is the address of its picture, where that is known."""

    username: str | None
    name: str | None
    picture: str | None


def find_profile(session: Session, host: str, account_id: int, github_url: str) -> AccountProfile | None:
    """The account with that id (``githubId``) at ``host``; None where no counted history names it."""
    row = session.one(
        "SELECT account_id, username, name, avatar_url FROM contributor WHERE host = :host AND account_id = :id",
        host=host,
        id=account_id,
    )
    return None if row is None else AccountProfile(row["username"], row["name"], avatar_url(row, github_url))


def profile_url(contributor: Row, github_url: str) -> str | None:
    """The page of an account, where it is known."""
    username: str | None = contributor["username"]
    if contributor["profile_url"]:
        return str(contributor["profile_url"])
    if not username:
        return None
    # A GitHub App has its page under /apps.
    app = username.removesuffix("[bot]")
    return f"{github_url}/apps/{app}" if app != username else f"{github_url}/{username}"


def avatar_url(contributor: Row, github_url: str) -> str | None:
    """The address of an account's picture, where it is known; needs ``account_id`` and ``avatar_url`` of its row."""
    if contributor["avatar_url"]:
        return str(contributor["avatar_url"])
    if contributor["account_id"] is None or host_of(github_url) != "github.com":
        return None
    return f"https://avatars.githubusercontent.com/u/{contributor['account_id']}"
