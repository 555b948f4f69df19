"""Linking e-mails to accounts in the database, set-based, inside a transaction that holds the Repository row.

Who is who stands in ``known_email``, once for all repositories; boards join it when they are read. So an e-mail that
moves to another account moves on every board, and a known community costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from podium.identities.emails import classify
from podium.identities.lookup import Account
from podium.jobs import batches
from podium.storage.session import Session

# An e-mail can claim any login for an account's number (anyone may commit as 583231+evil@…), so a login read from
# one only fills an empty place, and a "[bot]" in it makes no bot of the account.
_ACCOUNT_FROM_EMAIL = """
INSERT INTO contributor (host, account_id, username, is_bot, created_at, updated_at)
VALUES (:host, :account_id, :login, FALSE, {now}, {now})
ON CONFLICT (host, account_id) DO UPDATE SET username = COALESCE(contributor.username, excluded.username)
"""

_ACCOUNT_FROM_HOST = """
INSERT INTO contributor (host, account_id, username, name, avatar_url, profile_url, is_bot, enriched_at,
    created_at, updated_at)
VALUES (:host, :account_id, :login, :name, :avatar_url, :profile_url, :is_bot, {now}, {now}, {now})
ON CONFLICT (host, account_id) DO UPDATE SET
    username = excluded.username, name = excluded.name, avatar_url = excluded.avatar_url,
    profile_url = excluded.profile_url, is_bot = excluded.is_bot, enriched_at = excluded.enriched_at,
    updated_at = excluded.updated_at
"""

_KNOWN = """
INSERT INTO known_email (host, email, contributor_id, source, known_at)
VALUES (
    :host, :email, (SELECT id FROM contributor WHERE host = :host AND account_id = :account_id), :source, {now}
)
"""

# What the host says overwrites what an e-mail says, and never the other way round.
_KNOWN_FROM_EMAIL = _KNOWN + " ON CONFLICT (host, email) DO NOTHING"
_KNOWN_FROM_HOST = (
    _KNOWN
    + """ ON CONFLICT (host, email) DO UPDATE SET contributor_id = excluded.contributor_id,
    source = excluded.source, known_at = excluded.known_at"""
)

_SETTLE_KNOWN = """
UPDATE commit_data SET processed = TRUE
WHERE repository_id = :id AND NOT processed AND (
    kind <> 'human'
    OR EXISTS (SELECT 1 FROM known_email k WHERE k.host = :host AND k.email = commit_data.email)
)
"""

_SETTLE_ALL = "UPDATE commit_data SET processed = TRUE WHERE repository_id = :id AND NOT processed"

_SUMS = """
INSERT INTO repository_contributor (repository_id, contributor_id, commit_count, merge_count, co_authored_count)
SELECT d.repository_id, k.contributor_id, SUM(d.commit_count), SUM(d.merge_count),
    SUM(d.co_authored_count + d.co_authored_merge_count)
FROM commit_data d JOIN known_email k ON k.host = :host AND k.email = d.email
WHERE d.repository_id = :id AND k.contributor_id IS NOT NULL
GROUP BY d.repository_id, k.contributor_id
"""


def link_known(session: Session, repository_id: int, github_host: str, *, ask: bool) -> None:
    """Settle every e-mail of a repository that needs no request.

    Bots and agents are marked, noreply e-mails linked to the account they name, and what is known from any repository
    is taken over; the rows of all those are processed. The others are left for the user queue, or, where nobody is
    to be asked (``ask`` False), processed too, and stay unresolved until somebody is.
    """
    emails = session.all(
        "SELECT DISTINCT email FROM commit_data WHERE repository_id = :id AND NOT processed", id=repository_id
    )
    classified = {row["email"]: classify(row["email"], github_host) for row in emails}
    session.many(
        "UPDATE commit_data SET kind = :kind WHERE repository_id = :id AND email = :email",
        [
            {"id": repository_id, "email": email, "kind": found.kind}
            for email, found in classified.items()
            if found.kind != "human"
        ],
    )
    named = [
        {
            "host": github_host,
            "email": email,
            "account_id": found.account.account_id,
            "login": found.account.login,
            "source": "noreply",
        }
        for email, found in classified.items()
        if found.account is not None and found.account.account_id is not None
    ]
    named.sort(key=lambda row: (row["account_id"], row["email"]))
    session.many(_ACCOUNT_FROM_EMAIL, named)
    session.many(_KNOWN_FROM_EMAIL, named)
    if ask:
        session.run(_SETTLE_KNOWN, id=repository_id, host=github_host)
    else:
        session.run(_SETTLE_ALL, id=repository_id)


def save_answers(session: Session, answers: Mapping[str, Account | None], github_host: str) -> None:
    """Keep what the host said about e-mails. Accounts are written in the order of their numbers, so that two
    transactions that write the same ones wait for each other instead of locking each other out.
    """
    accounts = sorted({a.account_id: a for a in answers.values() if a}.values(), key=lambda a: a.account_id)
    session.many(_ACCOUNT_FROM_HOST, [_account_row(account, github_host) for account in accounts])
    session.many(
        _KNOWN_FROM_HOST,
        [
            {
                "host": github_host,
                "email": email,
                "account_id": account.account_id if account else None,
                "source": "host",
            }
            for email, account in sorted(answers.items())
        ],
    )


def _account_row(account: Account, github_host: str) -> dict[str, object]:
    return {
        "host": github_host,
        "account_id": account.account_id,
        "login": account.login,
        "name": account.name,
        "avatar_url": account.avatar_url,
        "profile_url": account.profile_url,
        "is_bot": account.is_bot,
    }


def complete_if_done(session: Session, repository_id: int, github_host: str) -> bool:
    """Complete the repository if nothing of it is unprocessed, its contributors' sums rebuilt; whether it was."""
    if not batches.complete(session, repository_id):
        return False
    session.run("DELETE FROM repository_contributor WHERE repository_id = :id", id=repository_id)
    session.run(_SUMS, id=repository_id, host=github_host)
    return True
