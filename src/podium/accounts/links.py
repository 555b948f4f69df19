"""Link e-mails to accounts, in a transaction that locks the repository's row.

Boards join ``known_email``, so an e-mail that moves to another account moves on every board.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from podium.accounts.lookup import GitHubAccount
from podium.bots.noreply import is_app_email
from podium.repositories.store.queries import OF_VALID_COUNT
from podium.storage.session import Row, Session

_ACCOUNT_FROM_HOST = """
INSERT INTO contributor (host, account_id, username, name, avatar_url, profile_url, is_bot, enriched_at,
    created_at, updated_at)
VALUES (:host, :account_id, :login, :name, :avatar_url, :profile_url, :is_bot, {now}, {now}, {now})
ON CONFLICT (host, account_id) DO UPDATE SET
    username = excluded.username,
    name = CASE WHEN :name_known THEN excluded.name ELSE contributor.name END,
    avatar_url = excluded.avatar_url,
    profile_url = excluded.profile_url, is_bot = excluded.is_bot, enriched_at = excluded.enriched_at,
    updated_at = excluded.updated_at
"""

KNOWN = """
INSERT INTO known_email (host, email, contributor_id, source, known_at)
VALUES (
    :host, :email, (SELECT id FROM contributor WHERE host = :host AND account_id = :account_id), :source, {now}
)
"""

# The host's answer overwrites an e-mail's claim, never the reverse.
_KNOWN_FROM_HOST = (
    KNOWN
    + """ ON CONFLICT (host, email) DO UPDATE SET contributor_id = excluded.contributor_id,
    source = excluded.source, known_at = excluded.known_at"""
)

# The host did not answer: what was known before stays.
_NO_ANSWER = """
INSERT INTO known_email (host, email, contributor_id, source, known_at)
VALUES (:host, :email, NULL, 'no-answer', {now})
ON CONFLICT (host, email) DO UPDATE SET known_at = CASE
    WHEN known_email.source = 'no-answer' THEN excluded.known_at ELSE known_email.known_at END
"""

_SETTLE_FRESH = f"""
UPDATE commit_data SET processed = TRUE, claim_token = NULL, claim_until = NULL
WHERE {OF_VALID_COUNT} AND batch = :batch AND NOT processed AND claim_token = :token AND EXISTS (
    SELECT 1 FROM known_email k WHERE k.host = :host AND k.email = commit_data.email AND k.known_at > {{now}} - :fresh
)
"""


class Move(NamedTuple):
    """An e-mail that moved from one contributor to another, or to or from none."""

    email: str
    before: int | None
    after: int | None


def finish_known(
    session: Session, repository_id: int, batch: int, token: str, *, github_host: str, fresh: float
) -> None:
    """Mark claimed rows processed whose e-mails another batch looked up."""
    session.run(_SETTLE_FRESH, id=repository_id, batch=batch, token=token, host=github_host, fresh=fresh)


def save_answers(session: Session, answers: Mapping[str, GitHubAccount | None], github_host: str) -> list[Move]:
    """Save the host's answers; return the e-mails that have another account now, or have lost theirs.

    Accounts are written by number and e-mails in order, so that two transactions with the same ones do not deadlock.
    """
    # The host names no user for an App, although it has an account.
    answers = {email: account for email, account in answers.items() if account or not is_app_email(email)}
    before = _owners(session, answers, github_host)
    accounts = sorted({a.account_id: a for a in answers.values() if a}.values(), key=lambda a: a.account_id)
    session.executemany(_ACCOUNT_FROM_HOST, [{"host": github_host, **_columns(account)} for account in accounts])
    session.executemany(
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
    after = _owners(session, before, github_host)
    return [Move(email, owner, after[email]) for email, owner in before.items() if after[email] != owner]


def save_unanswered(session: Session, emails: Iterable[str], github_host: str) -> None:
    session.executemany(_NO_ANSWER, [{"host": github_host, "email": email} for email in sorted(emails)])


def looked_up_recently(session: Session, emails: Collection[str], github_host: str, seconds: float) -> list[str]:
    return [row["email"] for row in _known(session, emails, github_host) if row["age"] < seconds]


def _columns(account: GitHubAccount) -> dict[str, object]:
    return {field.name: getattr(account, field.name) for field in dataclasses.fields(account)}


def _owners(session: Session, emails: Collection[str], github_host: str) -> dict[str, int | None]:
    return {row["email"]: row["contributor_id"] for row in _known(session, emails, github_host)}


def _known(session: Session, emails: Collection[str], github_host: str) -> list[Row]:
    names = {f"email{number}": email for number, email in enumerate(emails)}
    if not names:
        return []
    return session.all(
        f"""SELECT email, contributor_id, {{now}} - known_at AS age FROM known_email
        WHERE host = :host AND email IN ({", ".join(f":{name}" for name in names)})""",
        host=github_host,
        **names,
    )
