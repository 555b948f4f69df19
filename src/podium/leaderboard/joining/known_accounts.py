"""What is known of the e-mails of one repository: their accounts.

**Apps.** ``49699333+dependabot[bot]@…`` names its account by number. The address without the number joins it: no person
can take such a login. Where numbers contradict each other, the account counts whose login the host states. If none
does, the address without a number stays alone, with the login.

**Placeholders.** GitHub attributes e-mails that belong to no one to accounts such as ``invalid-email-address``. They
have no account.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from podium.bots.noreply import noreply_account, noreply_domain
from podium.bots.tools import BUILT_IN, Bots
from podium.repositories.store.queries import OF_VALID_COUNT
from podium.storage.session import Row, Session

_OF_CONTRIBUTOR = ("id", "account_id", "username", "name", "avatar_url", "profile_url", "is_bot", "enriched_at")

# Several names of one e-mail give duplicates; Python removes them faster than DISTINCT.
_KNOWN = f"""
SELECT c.email, k.contributor_id, k.source, k.known_at, {", ".join(f"p.{column}" for column in _OF_CONTRIBUTOR)}
FROM commit_data c
    JOIN known_email k ON k.host = :github_host AND k.email = c.email
    LEFT JOIN contributor p ON p.id = k.contributor_id
WHERE {OF_VALID_COUNT}"""

_APPS = f"SELECT DISTINCT email FROM commit_data WHERE {OF_VALID_COUNT} AND email LIKE :pattern ORDER BY email"

# Logins of GitHub's accounts for e-mails of no one and for deleted accounts.
_PLACEHOLDERS = frozenset({"invalid-email-address", "ghost"})


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """What is known of one e-mail; ``contributor`` is None if it has no account."""

    contributor: int | None
    source: str
    at: float


@dataclasses.dataclass(frozen=True, slots=True)
class Accounts:
    """What is known of each e-mail, and contributors by id; an App without a number has an id below 0."""

    emails: dict[str, Known]
    contributors: dict[int, Row]
    bots: Bots = BUILT_IN

    @property
    def size(self) -> int:
        return 250 * len(self.emails) + 900 * len(self.contributors)

    def of(self, email: str) -> Known | None:
        """A blank e-mail has no account."""
        return self.emails.get(email) if email.strip() else None

    def contributor(self, email: str) -> int | None:
        known = self.of(email)
        return None if known is None else known.contributor

    def is_bot(self, contributor: int) -> bool:
        login = self.stated_login(contributor)
        return login is not None and self.bots.is_bot_login(
            login, is_marked=bool(self.contributors[contributor]["is_bot"])
        )

    def stated_login(self, contributor: int) -> str | None:
        """The login that the host states, in lower case; that of an e-mail proves nothing."""
        row = self.contributors[contributor]
        return None if row["enriched_at"] is None else (row["username"] or "").lower()


def load_accounts(session: Session, repository_id: int, github_host: str, bots: Bots = BUILT_IN) -> Accounts:
    found = Accounts({}, {}, bots)
    for row in session.all(_KNOWN, id=repository_id, github_host=github_host):
        contributor = row["contributor_id"]
        if contributor is not None and contributor not in found.contributors:
            found.contributors[contributor] = {column: row[column] for column in _OF_CONTRIBUTOR}
        found.emails[row["email"]] = _known(found, row, github_host)
    pattern = f"%[bot]@{noreply_domain(github_host)}"
    apps = [email for (email,) in session.tuples(_APPS, id=repository_id, pattern=pattern)]
    _join_apps(found, apps, github_host)
    return found


def _known(found: Accounts, row: Row, github_host: str) -> Known:
    contributor, source = row["contributor_id"], row["source"]
    if contributor is not None and found.stated_login(contributor) in _PLACEHOLDERS:
        contributor = None
    elif source != "noreply" and contributor is not None and "+" in row["email"]:
        # A bot's number counts although the host's answer does not mark the account as a bot.
        named = noreply_account(row["email"], github_host)
        if named and named.account_id == row["account_id"] and found.bots.kind_of(row["email"]) != "human":
            source = "noreply"
    return Known(contributor, source, row["known_at"])


def _join_apps(found: Accounts, emails: Iterable[str], github_host: str) -> None:
    """Give the Apps' addresses without a number the account of those with one, else only the login."""
    without_number: dict[str, str] = {}
    accounts: dict[str, set[int]] = {}
    for email in emails:
        named, contributor = noreply_account(email, github_host), found.contributor(email)
        if named is None or not named.is_app:
            continue
        if contributor is not None:
            accounts.setdefault(named.login, set()).add(contributor)
        elif "+" not in email:
            without_number[email] = named.login
    for number, (email, login) in enumerate(without_number.items(), 1):
        account = _only_account(found, accounts.get(login, set()), login)
        if account is None:
            account = -number
            found.contributors[account] = dict.fromkeys(_OF_CONTRIBUTOR) | {"id": account, "username": login}
        found.emails[email] = Known(account, "noreply", 0.0)


def _only_account(found: Accounts, accounts: set[int], login: str) -> int | None:
    stated = {account for account in accounts if found.stated_login(account) == login}
    unstated = {account for account in accounts if found.stated_login(account) is None}
    candidates = stated or unstated
    return next(iter(candidates)) if len(candidates) == 1 else None
