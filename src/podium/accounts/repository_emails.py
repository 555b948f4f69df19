from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Iterator, Mapping
from operator import itemgetter
from typing import Any

from podium.accounts.email_rules import Classified, classify_email
from podium.accounts.links import KNOWN
from podium.accounts.stale import IS_ADDRESS, MaxAges, stale_rows
from podium.bots.tools import BUILT_IN, Bots
from podium.storage.session import Session
from podium.storage.transactions.steps import STEP_STATEMENTS, Step, chunked

# The login of an e-mail only fills an empty field, and its "[bot]" is ignored.
_ACCOUNT_FROM_EMAIL = """
INSERT INTO contributor (host, account_id, username, is_bot, created_at, updated_at)
VALUES (:host, :account_id, NULLIF(:login, ''), FALSE, {now}, {now})
ON CONFLICT (host, account_id) DO UPDATE SET username = COALESCE(contributor.username, excluded.username)
"""

# The host's answer takes precedence over an e-mail's claim. But for an App it names no user, and says so.
_KNOWN_FROM_EMAIL = (
    KNOWN
    + """ ON CONFLICT (host, email) DO UPDATE SET contributor_id = excluded.contributor_id,
    source = excluded.source, known_at = excluded.known_at
    WHERE known_email.contributor_id IS NULL AND known_email.email LIKE '%[bot]@%'"""
)

_WITHOUT_BATCH = f"""
SELECT c.id, c.email, c.kind, c.{IS_ADDRESS} AND NOT c.role_only AND k.email IS NULL
FROM commit_data c LEFT JOIN known_email k ON k.host = :host AND k.email = c.email
WHERE c.repository_id = :id AND c.count_id = :count AND NOT c.processed AND c.batch IS NULL
"""

_UNPROCESSED = "SELECT id FROM commit_data WHERE repository_id = :id AND count_id = :count AND NOT processed"


@dataclasses.dataclass(frozen=True, slots=True)
class EmailClassification:
    """The e-mails of one repository; implements :class:`podium.counting.save.ClassifiedEmails`.

    Attributes:
        kinds: 'bot' or 'agent', by e-mail; humans are left out. By the built-in list alone: the user's may change.
    """

    kinds: Mapping[str, str]
    can_look_up: bool
    _classified: Mapping[str, Classified]
    _github_host: str
    _ages: MaxAges | None
    _bots: Bots

    def humans(self) -> set[str]:
        """The e-mails that are neither a bot's nor an AI agent's, also by the user's list."""
        return {email for email, found in self._classified.items() if self._bots.kind_of(email, found.kind) == "human"}

    def link_steps(self) -> Iterator[Step]:
        """Link the e-mails that name their account."""
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
        for some in chunked(named, STEP_STATEMENTS):
            yield functools.partial(_link, named=some)

    def known_rows(self, session: Session, repository_id: int, count_id: int) -> list[int]:
        """Unprocessed rows (``commit_data.id``) that need no look-up; with look-ups, of those without a batch."""
        if not self.can_look_up:
            return [row_id for (row_id,) in session.tuples(_UNPROCESSED, id=repository_id, count=count_id)]
        rows = session.tuples(_WITHOUT_BATCH, id=repository_id, count=count_id, host=self._github_host)
        return [
            row_id for row_id, email, kind, is_open in rows if not is_open or self._bots.kind_of(email, kind) != "human"
        ]

    def stale_rows(self, session: Session, repository_id: int, count_id: int) -> list[int]:
        """Rows that must be looked up again."""
        if self._ages is None or not self.can_look_up:
            return []
        return stale_rows(
            session, repository_id, count_id, github_host=self._github_host, ages=self._ages, bots=self._bots
        )


def _link(session: Session, *, named: list[dict[str, Any]]) -> None:
    session.executemany(_ACCOUNT_FROM_EMAIL, named)
    session.executemany(_KNOWN_FROM_EMAIL, sorted(named, key=itemgetter("email")))


def classify_emails(
    host: str, emails: Collection[str], *, github_host: str, ages: MaxAges | None, bots: Bots = BUILT_IN
) -> EmailClassification:
    """Classify e-mails by their text.

    Args:
        host: '' for a path of this machine, which may be a clone from GitHub.
        emails: in lower case.
        bots: decides which e-mails are looked up.
        ages: None: accounts are not looked up.
    """
    classified = {email: classify_email(email, github_host) for email in emails}
    return EmailClassification(
        kinds={email: found.kind for email, found in classified.items() if found.kind != "human"},
        can_look_up=ages is not None and host in ("", github_host),
        _classified=classified,
        _github_host=github_host,
        _ages=ages,
        _bots=bots,
    )
