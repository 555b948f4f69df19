from __future__ import annotations

from collections.abc import Collection

from podium.bots.noreply import noreply_account
from podium.storage.session import Session
from podium.storage.transactions.steps import EMAILS_PER_QUERY, chunked


def emails_with_accounts(session: Session, emails: Collection[str], github_host: str) -> set[str]:
    """Return those of ``emails`` that are known to belong to an account."""
    found = {email for email in emails if _names_account(email, github_host)}
    for some in chunked(sorted(set(emails) - found), EMAILS_PER_QUERY):
        names = {f"e{place}": email for place, email in enumerate(some)}
        rows = session.tuples(
            f"""SELECT email FROM known_email WHERE host = :host AND contributor_id IS NOT NULL
            AND email IN ({", ".join(f":{name}" for name in names)})""",
            host=github_host,
            **names,
        )
        found.update(email for (email,) in rows)
    return found


def _names_account(email: str, github_host: str) -> bool:
    account = noreply_account(email, github_host)
    return account is not None and account.account_id is not None
