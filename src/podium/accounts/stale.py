"""What must be asked: e-mails that nobody was asked about yet, and what is known of the others but has grown old."""

from __future__ import annotations

import dataclasses

from podium.repositories.store import queries
from podium.storage.session import Session


@dataclasses.dataclass(frozen=True, slots=True)
class MaxAges:
    """Seconds after which what is known is asked for again.

    account: logins, names and avatars. email: whose account an e-mail is. unknown_email: that it is nobody's.
    """

    account: float
    email: float
    unknown_email: float

    @property
    def shortest(self) -> float:
        """What is younger than this is old by no measure."""
        return min(self.account, self.email, self.unknown_email)

    def for_refresh(self) -> MaxAges:
        """For whoever asks expressly: what is nobody's is asked for again as soon as an account would be."""
        return dataclasses.replace(self, unknown_email=min(self.unknown_email, self.account))


# An account of GitHub has e-mail addresses; what has no '@' inside is none, and no account is behind it.
IS_ADDRESS = "email LIKE '%_@_%'"

# Of each account that has grown old one e-mail is asked for again, the one with most commits: its answer renews all of
# the account. What is known from the address itself stays known, but the login that it claims may have changed.
# Joined, and not asked for row by row with EXISTS: for that PostgreSQL reads what is known of everybody else's e-mails.
_MARK = f"""
UPDATE commit_data SET processed = FALSE WHERE id IN (
    SELECT c.id FROM commit_data c LEFT JOIN known_email k ON k.host = :host AND k.email = c.email
    WHERE c.repository_id = :id AND c.processed AND c.kind = 'human' AND c.{IS_ADDRESS} AND (
        k.email IS NULL
        OR k.source <> 'noreply' AND k.known_at < {{now}} - CASE
            WHEN k.contributor_id IS NOT NULL THEN :email
            WHEN k.source = 'no-answer' THEN :shortest
            ELSE :unknown_email END
        OR c.email IN (
            SELECT email FROM (
                SELECT c.email, ROW_NUMBER() OVER (
                    PARTITION BY k.contributor_id ORDER BY SUM(c.commit_count + c.merge_count) DESC, c.email
                ) AS place
                FROM commit_data c
                    JOIN known_email k ON k.host = :host AND k.email = c.email
                    JOIN contributor p ON p.id = k.contributor_id
                WHERE c.repository_id = :id AND c.kind = 'human'
                    AND COALESCE(p.enriched_at, p.created_at) < {{now}} - :account
                GROUP BY k.contributor_id, c.email
            ) AS old WHERE place = 1
        )
    )
)
"""


def mark_stale(session: Session, repository_id: int, github_host: str, ages: MaxAges) -> int:
    """Give back to the user queue what must be asked about a repository; how many rows that were.

    Nothing of a repository that is not at ``github_host``: only there can anybody be asked (a path of this machine,
    whose host is '', may be a clone of one). The caller holds the repository's row.
    """
    repository = queries.by_id(session, repository_id)
    if repository is None or repository.host not in ("", github_host):
        return 0
    return session.run(
        _MARK,
        id=repository_id,
        host=github_host,
        account=ages.account,
        email=ages.email,
        unknown_email=ages.unknown_email,
        shortest=ages.shortest,
    )
