"""People whose commits were just counted: what their e-mails say by themselves, and what is known of them already."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from podium.accounts.email_rules import Classified, classify
from podium.accounts.links import KNOWN
from podium.accounts.stale import IS_ADDRESS, Ages, mark_due
from podium.storage.session import Session

# An e-mail can claim any login for an account's number (anyone may commit as 583231+evil@…), so a login read from
# one only fills an empty place, and a "[bot]" in it makes no bot of the account.
_ACCOUNT_FROM_EMAIL = """
INSERT INTO contributor (host, account_id, username, is_bot, created_at, updated_at)
VALUES (:host, :account_id, :login, FALSE, {now}, {now})
ON CONFLICT (host, account_id) DO UPDATE SET username = COALESCE(contributor.username, excluded.username)
"""

# What an e-mail says never overwrites what the host says.
_KNOWN_FROM_EMAIL = KNOWN + " ON CONFLICT (host, email) DO NOTHING"

_SETTLE_KNOWN = f"""
UPDATE commit_data SET processed = TRUE WHERE id IN (
    SELECT c.id FROM commit_data c LEFT JOIN known_email k ON k.host = :host AND k.email = c.email
    WHERE c.repository_id = :id AND NOT c.processed
        AND (c.kind <> 'human' OR NOT c.{IS_ADDRESS} OR k.email IS NOT NULL)
)
"""

_SETTLE_ALL = "UPDATE commit_data SET processed = TRUE WHERE repository_id = :id AND NOT processed"


@dataclasses.dataclass(frozen=True, slots=True)
class Newcomers:
    """People of one repository before their commits are saved; see :class:`podium.counting.save.People`.

    Attributes:
        kinds: of those e-mails that are no human's.
        are_asked: whether GitHub can be asked about them.
    """

    kinds: Mapping[str, str]
    are_asked: bool
    _classified: Mapping[str, Classified]
    _github_host: str
    _ages: Ages | None

    def link(self, session: Session, repository_id: int) -> None:
        """Settle every e-mail of the repository that needs no request; its people were saved with their kinds.

        Noreply e-mails are linked to the account they name, and what is known from any repository is taken over; the
        rows of all those are processed. The others are left for the user queue, and with them what has grown older than
        the ages. Where nobody is to be asked all are processed, and stay unresolved until somebody is.
        """
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
        # In one order everywhere, see save_answers().
        named.sort(key=lambda row: (row["account_id"], row["email"]))
        session.executemany(_ACCOUNT_FROM_EMAIL, named)
        named.sort(key=lambda row: row["email"])
        session.executemany(_KNOWN_FROM_EMAIL, named)
        if self._ages is None or not self.are_asked:
            # What an earlier count has left for the queue, too.
            session.run(_SETTLE_ALL, id=repository_id)
        else:
            session.run(_SETTLE_KNOWN, id=repository_id, host=self._github_host)
            mark_due(session, repository_id, self._github_host, self._ages)


def meet(host: str, emails: Collection[str], *, github_host: str, ages: Ages | None) -> Newcomers:
    """What is known by itself of the people of a repository.

    Args:
        host: the repository's.
        emails: theirs, in lower case.
        github_host: the configured GitHub.
        ages: how old what is known of them may grow; None: nobody is to be asked. Nor can anybody be about a repository
            that is at another host (a path of this machine, whose host is '', may be a clone of one of GitHub's).
    """
    classified = {email: classify(email, github_host) for email in emails}
    return Newcomers(
        kinds={email: found.kind for email, found in classified.items() if found.kind != "human"},
        are_asked=ages is not None and host in ("", github_host),
        _classified=classified,
        _github_host=github_host,
        _ages=ages,
    )
