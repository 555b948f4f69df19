from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from podium.accounts.email_rules import Classified, classify
from podium.accounts.links import KNOWN
from podium.accounts.stale import IS_ADDRESS, MaxAges, mark_stale
from podium.storage.session import Session

# Anyone can commit as 583231+evil@…: the login of an e-mail only fills an empty field, and its "[bot]" is ignored.
_ACCOUNT_FROM_EMAIL = """
INSERT INTO contributor (host, account_id, username, is_bot, created_at, updated_at)
VALUES (:host, :account_id, :login, FALSE, {now}, {now})
ON CONFLICT (host, account_id) DO UPDATE SET username = COALESCE(contributor.username, excluded.username)
"""

# The host's answer takes precedence over an e-mail's claim.
_KNOWN_FROM_EMAIL = KNOWN + " ON CONFLICT (host, email) DO NOTHING"

_MARK_KNOWN_PROCESSED = f"""
UPDATE commit_data SET processed = TRUE WHERE id IN (
    SELECT c.id FROM commit_data c LEFT JOIN known_email k ON k.host = :host AND k.email = c.email
    WHERE c.repository_id = :id AND NOT c.processed
        AND (c.kind <> 'human' OR NOT c.{IS_ADDRESS} OR k.email IS NOT NULL)
)
"""

_MARK_ALL_PROCESSED = "UPDATE commit_data SET processed = TRUE WHERE repository_id = :id AND NOT processed"


@dataclasses.dataclass(frozen=True, slots=True)
class EmailClassification:
    """The e-mails of one repository; implements :class:`podium.counting.save.ClassifiedEmails`.

    Attributes:
        kinds: 'bot' or 'agent', by e-mail; humans are left out.
    """

    kinds: Mapping[str, str]
    can_look_up: bool
    _classified: Mapping[str, Classified]
    _github_host: str
    _ages: MaxAges | None

    def save_links(self, session: Session, repository_id: int) -> None:
        """Link the e-mails that need no request, after the commits were saved."""
        named: list[dict[str, Any]] = [
            {
                "host": self._github_host,
                "email": email,
                "account_id": found.account.account_id,
                "login": found.account.login,
                "source": "noreply",
            }
            for email, found in self._classified.items()
            if found.account is not None and found.account.account_id is not None
        ]
        # Sorted to avoid deadlocks, see save_answers().
        named.sort(key=lambda row: (row["account_id"], row["email"]))
        session.executemany(_ACCOUNT_FROM_EMAIL, named)
        named.sort(key=lambda row: row["email"])
        session.executemany(_KNOWN_FROM_EMAIL, named)
        if self._ages is None or not self.can_look_up:
            session.run(_MARK_ALL_PROCESSED, id=repository_id)
        else:
            session.run(_MARK_KNOWN_PROCESSED, id=repository_id, host=self._github_host)
            mark_stale(session, repository_id, self._github_host, self._ages)


def classify_emails(
    host: str, emails: Collection[str], *, github_host: str, ages: MaxAges | None
) -> EmailClassification:
    """Classify e-mails by their text.

    Args:
        host: '' for a path of this machine, which may be a clone from GitHub.
        emails: in lower case.
        ages: None: accounts are not looked up.
    """
    classified = {email: classify(email, github_host) for email in emails}
    return EmailClassification(
        kinds={email: found.kind for email, found in classified.items() if found.kind != "human"},
        can_look_up=ages is not None and host in ("", github_host),
        _classified=classified,
        _github_host=github_host,
        _ages=ages,
    )
