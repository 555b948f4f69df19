"""Accounts at the configured GitHub: profile pages and avatars."""

from __future__ import annotations

import dataclasses

from podium.repositories.address import host_of
from podium.repositories.store.readers.contributions import is_only_hidden
from podium.storage.session import Row, Session


@dataclasses.dataclass(frozen=True, slots=True)
class AccountProfile:
    """An account without a board; ``picture`` is its avatar's URL."""

    username: str | None
    name: str | None
    picture: str | None


def find_profile(session: Session, host: str, account_id: int, github_url: str) -> AccountProfile | None:
    """The account with that id (``githubId``) at ``host``; None if no counted history names it that readers may see."""
    row = session.one(
        "SELECT id, account_id, username, name, avatar_url FROM contributor WHERE host = :host AND account_id = :id",
        host=host,
        id=account_id,
    )
    if row is None or is_only_hidden(session, row["id"]):
        return None
    return AccountProfile(row["username"], row["name"], avatar_url(row, github_url))


def find_by_login(session: Session, host: str, login: str) -> Row | None:
    """The contributor with that login, in any case, at ``host``; None if no counted history names it.

    Of two with one login, the host has renamed the one that was asked for longer ago.
    """
    return session.one(
        """SELECT id, account_id, username, name, avatar_url, profile_url, is_bot FROM contributor
        WHERE host = :host AND lower(username) = :login ORDER BY coalesce(enriched_at, 0) DESC, id DESC LIMIT 1""",
        host=host,
        login=login.lower(),
    )


def profile_url(contributor: Row, github_url: str) -> str | None:
    username: str | None = contributor["username"]
    if contributor["profile_url"]:
        return str(contributor["profile_url"])
    if not username:
        return None
    app = username.removesuffix("[bot]")
    if app == username:
        return f"{github_url}/{username}"
    # https://docs.github.com/en/enterprise-server/apps/sharing-github-apps/sharing-your-github-app
    host = host_of(github_url)
    apps = "apps" if host == "github.com" or host.endswith(".ghe.com") else "github-apps"
    return f"{github_url}/{apps}/{app}"


def avatar_url(contributor: Row, github_url: str) -> str | None:
    """The URL of an account's avatar, if known."""
    if contributor["avatar_url"]:
        return str(contributor["avatar_url"])
    if contributor["account_id"] is None or host_of(github_url) != "github.com":
        return None
    return f"https://avatars.githubusercontent.com/u/{contributor['account_id']}"
