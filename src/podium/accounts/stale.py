"""Which e-mails must be looked up again."""

from __future__ import annotations

import dataclasses

from podium.bots.tools import BUILT_IN, Bots
from podium.repositories.store import queries
from podium.storage.session import Session


@dataclasses.dataclass(frozen=True, slots=True)
class MaxAges:
    """Seconds after which an answer is stale.

    account: logins, names and avatars. email: the link to an account. unknown_email: that there is no account.
    """

    account: float
    email: float
    unknown_email: float

    @property
    def shortest(self) -> float:
        """An answer younger than this is never stale."""
        return min(self.account, self.email, self.unknown_email)

    def for_refresh(self) -> MaxAges:
        """For an explicit refresh: unknown e-mails become stale as early as accounts."""
        return dataclasses.replace(self, unknown_email=min(self.unknown_email, self.account))


# Text without '@' inside is not an address, so no account has it.
IS_ADDRESS = "email LIKE '%_@_%'"

# Rows of one look-up of stale accounts; the next refresh continues.
MOST_STALE = 5000

# The most active e-mail of each stale account is looked up, which renews the account. A noreply link stays, but the
# login in it may have changed. A join, because with EXISTS PostgreSQL reads the links of every other repository.
_STALE = f"""
SELECT c.id, c.email, c.kind FROM commit_data c LEFT JOIN known_email k ON k.host = :host AND k.email = c.email
WHERE c.repository_id = :id AND c.count_id = :count AND (c.kind = 'human' OR :removed) AND c.{IS_ADDRESS}
    AND NOT c.role_only
    AND (c.processed OR c.batch IS NULL) AND (
    k.email IS NULL AND c.processed
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
            WHERE c.repository_id = :id AND c.count_id = :count AND (c.kind = 'human' OR :removed)
                AND COALESCE(p.enriched_at, p.created_at) < {{now}} - :account
            GROUP BY k.contributor_id, c.email
        ) AS old WHERE place = 1
    )
)
ORDER BY c.commit_count + c.merge_count DESC, c.id LIMIT :most
"""


def stale_rows(
    session: Session, repository_id: int, count_id: int, *, github_host: str, ages: MaxAges, bots: Bots = BUILT_IN
) -> list[int]:
    """Return the rows (``commit_data.id``) whose e-mails must be looked up again, at most :data:`MOST_STALE`.

    Only accounts at ``github_host`` can be looked up. A path of this machine (host '') may be a clone from there.
    """
    repository = queries.by_id(session, repository_id)
    if repository is None or repository.host not in ("", github_host):
        return []
    rows = session.tuples(
        _STALE,
        id=repository_id,
        count=count_id,
        host=github_host,
        account=ages.account,
        email=ages.email,
        unknown_email=ages.unknown_email,
        shortest=ages.shortest,
        # An address of the built-in list may be a person's.
        removed=bool(bots.removed),
        most=MOST_STALE,
    )
    return [row_id for row_id, email, kind in rows if bots.kind_of(email, kind) == "human"]
