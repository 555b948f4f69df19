"""The boards to which an account contributed and that readers see, from the sums of :mod:`podium.accounts.sums`."""

from __future__ import annotations

import dataclasses

from podium.repositories.store.readers.readable import READABLE
from podium.storage.session import Session

# Rows of one account; those with the fewest commits are left out.
MOST = 10_000

# A repository and its branches and tags have commits in common: one board stands for all of them.
_BOARDS = f"""
SELECT repository_id, commit_count, merge_count, people FROM (
    SELECT c.repository_id, c.commit_count, c.merge_count, coalesce(r.unique_contributors, 0) AS people,
        row_number() OVER (
            PARTITION BY coalesce(r.parent_key, r.key)
            ORDER BY r.parent_key IS NOT NULL, c.commit_count DESC, r.id
        ) AS place
    FROM repository_contributor c JOIN repository r ON r.id = c.repository_id
    WHERE c.contributor_id = :contributor AND {READABLE} AND r.head IS NOT NULL
) AS best
WHERE place = 1
ORDER BY commit_count + merge_count DESC, repository_id
LIMIT :limit"""


@dataclasses.dataclass(frozen=True, slots=True)
class Contribution:
    """The commits and merges of an account's own e-mails, and the e-mails of the whole repository."""

    repository_id: int
    commits: int
    merges: int
    emails: int


def of_contributor(session: Session, contributor: int) -> list[Contribution]:
    """Return the boards of a contributor (``contributor.id``), most commits first, each repository once."""
    return [Contribution(*row) for row in session.tuples(_BOARDS, contributor=contributor, limit=MOST)]


def is_only_hidden(session: Session, contributor: int) -> bool:
    """Whether repositories name a contributor, and readers may see none of them."""
    named = "SELECT 1 FROM repository_contributor c JOIN repository r ON r.id = c.repository_id"
    return bool(
        session.value(
            f"""SELECT EXISTS ({named} WHERE c.contributor_id = :contributor AND hidden_at IS NOT NULL)
                AND NOT EXISTS ({named} WHERE c.contributor_id = :contributor AND {READABLE})""",
            contributor=contributor,
        )
    )
