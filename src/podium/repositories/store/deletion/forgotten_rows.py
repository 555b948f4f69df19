"""The rows of forgotten people in one repository, and the accounts that they had."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from podium.repositories.store.queries import OF_VALID_COUNT
from podium.repositories.stored_person import IS_REMOVED, StoredPerson
from podium.storage.session import Session
from podium.storage.transactions.steps import EMAILS_PER_QUERY, chunked

_PEOPLE = f"""
SELECT id, email, name, mailmap_email, mailmap_name, mailmap_identity, commit_count + merge_count FROM commit_data
WHERE {OF_VALID_COUNT}
"""

_REMOVE = """
UPDATE commit_data SET email = :email, name = :name, mailmap_email = :mailmap_email, mailmap_name = :mailmap_name,
    mailmap_identity = :mailmap_identity, mailmap_source = '', kind = 'human', sample_sha = '', sample_at = NULL,
    other_sha = NULL, processed = TRUE, batch = NULL, claim_token = NULL, claim_until = NULL
WHERE id = :id AND repository_id = :repository
"""

# A new generation: caches of boards, and batches with these rows, are void.
_CHANGE = f"""
UPDATE repository SET generation = generation + 1, people = NULL, updated_at = {{now}}, unique_contributors = (
    SELECT count(DISTINCT email) FROM commit_data
    WHERE {OF_VALID_COUNT} AND commit_count + merge_count > 0 AND NOT ({IS_REMOVED})
) WHERE id = :id
"""


def people_of(session: Session, repository_id: int) -> list[tuple[Any, ...]]:
    """Id, e-mail, name, e-mail, name and identity by the mailmap, and commits of each person of the valid count."""
    return session.tuples(_PEOPLE, id=repository_id)


def remove(session: Session, repository_id: int, rows: Sequence[tuple[int, StoredPerson]]) -> None:
    """Take the texts of some rows, in a transaction that has locked the repository's row."""
    session.executemany(
        _REMOVE, [{"id": number, "repository": repository_id, **stored._asdict()} for number, stored in rows]
    )
    session.run(_CHANGE, id=repository_id)


def end_live_rankings(session: Session) -> None:
    """Forget who leads while repositories are counted for the first time, and have these counted again.

    A running count could not be saved any more, and would show until then whom it knows.
    """
    rows = session.tuples(
        """SELECT id, progress FROM repository WHERE state = 'commits_processing' AND progress LIKE '%leaders%'
        ORDER BY id {for_update}"""
    )
    session.executemany(
        """UPDATE repository SET progress = :progress, lease_token = lease_token + 1, lease_holder = NULL,
            lease_until = NULL, enqueued_at = NULL WHERE id = :id""",
        [{"id": number, "progress": _without_leaders(progress)} for number, progress in rows],
    )


def _without_leaders(progress: str) -> str:
    return json.dumps({name: value for name, value in json.loads(progress).items() if name != "leaders"})


def repositories_after(session: Session, last: int, *, limit: int) -> list[int]:
    """The next repositories that have people, or whose first count may be about to be saved."""
    rows = session.tuples(
        """SELECT id FROM repository WHERE id > :last AND (head IS NOT NULL OR lease_holder IS NOT NULL)
            AND forgotten_at IS NULL ORDER BY id LIMIT :limit""",
        last=last,
        limit=limit,
    )
    return [number for (number,) in rows]


def repositories_with(session: Session, emails: Collection[str], contributors: Collection[int]) -> list[int]:
    """Repositories with one of these e-mails or accounts."""
    found: set[int] = set()
    for column, table, values in (
        ("email", "commit_data", sorted(emails)),
        ("contributor_id", "repository_contributor", sorted(contributors)),
    ):
        for some in chunked(values, EMAILS_PER_QUERY):
            names = {f"v{place}": value for place, value in enumerate(some)}
            marks = ", ".join(f":{name}" for name in names)
            rows = session.tuples(f"SELECT DISTINCT repository_id FROM {table} WHERE {column} IN ({marks})", **names)
            found.update(number for (number,) in rows)
    return sorted(found)


def count_removed_again(session: Session) -> int:
    """Have the repositories with rows of forgotten people counted from the beginning; return how many there are."""
    return session.run(
        f"""UPDATE repository SET counting_version = 0 WHERE counting_version IS NOT NULL AND id IN (
            SELECT DISTINCT repository_id FROM commit_data WHERE {IS_REMOVED}
        )"""
    )
