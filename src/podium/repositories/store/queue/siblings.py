"""A repository, its branches and its tags share one mirror, so one of them is counted at a time."""

from __future__ import annotations

from podium.storage.session import Session

# The other rows of one repository: itself, its branches and its tags.
_SIBLING = """(sibling.key = repository.parent_key
    OR sibling.parent_key = coalesce(repository.parent_key, repository.key)) AND sibling.id <> repository.id"""

# A second one would only hold a worker while it waits for the lock of the mirror. Few rows have a holder, and an index
# has them.
NO_SIBLING_IS_COUNTED = f"""NOT EXISTS (
    SELECT 1 FROM repository AS sibling
    WHERE {_SIBLING} AND sibling.lease_holder IS NOT NULL AND sibling.lease_until >= {{now}}
        AND sibling.state IN ('pending', 'commits_processing')
)"""


def next_sibling(session: Session, repository_id: int) -> int | None:
    """The first one of the same repository that waits to be counted."""
    found: int | None = session.value(
        f"""SELECT sibling.id FROM repository JOIN repository AS sibling ON {_SIBLING}
        WHERE repository.id = :id AND sibling.state = 'pending' AND sibling.host <> ''
        ORDER BY sibling.virtual_start, sibling.id LIMIT 1""",
        id=repository_id,
    )
    return found
