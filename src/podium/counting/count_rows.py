"""The rows of a count: its people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from podium.blocks.forgotten_in_repository import RemovedRows
from podium.clones.mailmaps.mailmap import Identity
from podium.counting.base_people import InBase
from podium.history.totals import PersonTotals
from podium.repositories.model import Repository
from podium.repositories.store.queries import OF_VALID_COUNT
from podium.repositories.stored_person import IS_REMOVED, is_removed
from podium.storage.session import Session
from podium.storage.transactions.steps import EMAILS_PER_QUERY, chunked

Pair = tuple[str, str]
# The values of :data:`PERSON_COLUMNS`.
PersonRow = tuple[Any, ...]

PERSON_COLUMNS = (
    *("repository_id", "count_id", "email", "name", "ordinal"),
    *("mailmap_email", "mailmap_name", "mailmap_identity", "mailmap_source"),
    *("commit_count", "merge_count", "base_commit_count", "base_merge_count", "base_named"),
    *("sample_sha", "sample_at", "sample_co_authors", "other_sha"),
    *("role_only", "kind", "processed"),
)


def _better_sample(column: str) -> str:
    return f"""{column} = CASE WHEN {_IS_BETTER} THEN excluded.{column} ELSE commit_data.{column} END"""


_IS_PROMOTED = "commit_data.role_only AND NOT excluded.role_only"
_IS_BETTER = f"""{_IS_PROMOTED} OR commit_data.role_only = excluded.role_only
    AND excluded.sample_co_authors < commit_data.sample_co_authors"""

# The older of two other commits; without one, the sample that is replaced.
_OTHER = f"""other_sha = CASE WHEN {_IS_PROMOTED} THEN excluded.other_sha
    WHEN excluded.role_only THEN commit_data.other_sha ELSE COALESCE(commit_data.other_sha, CASE
    WHEN excluded.sample_co_authors < commit_data.sample_co_authors THEN commit_data.sample_sha
    ELSE excluded.sample_sha END) END"""

# A reviewer who becomes an author is looked up.
_PROMOTED = f"""processed = CASE WHEN {_IS_PROMOTED} THEN excluded.processed ELSE commit_data.processed END,
    role_only = commit_data.role_only AND excluded.role_only"""

ADD_PERSON = f"""
INSERT INTO commit_data ({", ".join(PERSON_COLUMNS)}) VALUES ({", ".join("?" * len(PERSON_COLUMNS))})
    ON CONFLICT (repository_id, count_id, email, name) DO UPDATE SET
    {", ".join(f"{column} = commit_data.{column} + excluded.{column}" for column in ("commit_count", "merge_count"))},
    {_OTHER}, {", ".join(map(_better_sample, ("sample_sha", "sample_at", "sample_co_authors")))}, {_PROMOTED}"""

_MAILMAP = f"""
UPDATE commit_data SET mailmap_email = :mailmap_email, mailmap_name = :mailmap_name, mailmap_identity = :key,
    mailmap_source = :source
WHERE {OF_VALID_COUNT} AND email = :email AND name = :name
"""

_IDENTITIES = f"""
SELECT name, email, mailmap_email, mailmap_name, mailmap_identity, mailmap_source FROM commit_data
WHERE {OF_VALID_COUNT}
"""


_BASE_PEOPLE = f"""
SELECT 1 AS one FROM commit_data WHERE {OF_VALID_COUNT} AND base_commit_count + base_merge_count > 0 LIMIT 1
"""


def known_pairs(
    session: Session, repository_id: int, column: str = "", values: Collection[str] | None = None
) -> dict[Pair, Identity]:
    """Return saved (name, e-mail) pairs with their identities: all, or those with ``values`` in ``column``."""
    if values is None:
        rows: Iterable[tuple[Any, ...]] = session.tuples(_IDENTITIES, id=repository_id)
    else:
        rows = _with(session, f"{_IDENTITIES} AND {column}", values, id=repository_id)
    # Forgotten people have no texts that git could compare.
    return {(name, email): Identity(*identity) for name, email, *identity in rows if not is_removed(email)}


def removed_rows(session: Session, repository_id: int) -> RemovedRows:
    """What the rows of forgotten people say."""
    rows = session.tuples(
        f"""SELECT email, mailmap_name, mailmap_identity FROM commit_data
        WHERE {OF_VALID_COUNT} AND {IS_REMOVED}""",
        id=repository_id,
    )
    emails, names, identities = zip(*rows, strict=True) if rows else ((), (), ())
    return RemovedRows(frozenset(emails), frozenset(filter(None, names)), frozenset(identities))


def number_of_people(session: Session, repository_id: int) -> int:
    number: int = session.value(f"SELECT count(*) FROM commit_data WHERE {OF_VALID_COUNT}", id=repository_id)
    return number


def people_of_own_mailmap(session: Session, repository_id: int) -> int:
    """The number of people whom the user's own mailmap names in the valid count."""
    number: int = session.value(
        f"""SELECT count(DISTINCT mailmap_identity) FROM commit_data
        WHERE {OF_VALID_COUNT} AND mailmap_source = 'own'""",
        id=repository_id,
    )
    return number


def ordinals(session: Session, repository_id: int, emails: Collection[str]) -> dict[Pair, int]:
    """Return the ordinals of the rows of ``emails``."""
    rows = _with(
        session,
        f"SELECT name, email, ordinal FROM commit_data WHERE {OF_VALID_COUNT} AND email",
        emails,
        id=repository_id,
    )
    return {(name, email): ordinal for name, email, ordinal in rows}


def next_ordinal(session: Session, repository: Repository) -> int:
    """Return the first ordinal that was never given, also not to people whom a recount no longer found."""
    last: int | None = session.value(f"SELECT MAX(ordinal) FROM commit_data WHERE {OF_VALID_COUNT}", id=repository.id)
    return max(repository.next_ordinal, 0 if last is None else last + 1)


def has_base_people(session: Session, repository_id: int) -> bool:
    """Whether the valid count of a range knows the people of the commits that it leaves out."""
    return session.one(_BASE_PEOPLE, id=repository_id) is not None


def authors_among(session: Session, repository_id: int, emails: Collection[str]) -> set[str]:
    """Return those of ``emails`` that are authors in the valid count."""
    sql = f"SELECT email FROM commit_data WHERE {OF_VALID_COUNT} AND commit_count + merge_count > 0 AND email"
    return {email for (email,) in _with(session, sql, emails, id=repository_id)}


def _with(session: Session, sql: str, values: Collection[str], **parameters: object) -> Iterator[tuple[Any, ...]]:
    for some in chunked(values, EMAILS_PER_QUERY):
        named = {f"v{place}": value for place, value in enumerate(some)}
        yield from session.tuples(f"{sql} IN ({', '.join(f':{name}' for name in named)})", **named, **parameters)


def person_row(
    repository_id: int,
    count_id: int,
    person: PersonTotals,
    identity: Identity,
    *,
    in_base: InBase,
    ordinal: int,
    kind: str,
    processed: bool,
) -> PersonRow:
    return (
        *(repository_id, count_id, person.email, person.name, ordinal),
        *(identity.email, identity.name, identity.key, identity.source),
        *(person.commits, person.merges, *in_base, person.sample_sha, person.sample_at, person.sample_co_authors),
        *(person.other_sha, person.role_only, kind, processed),
    )


def save_identities(session: Session, repository_id: int, identities: Mapping[Pair, Identity]) -> None:
    """A changed mailmap also applies to the rows of earlier counts."""
    saved = known_pairs(session, repository_id, "email", {email for _, email in identities})
    session.executemany(
        _MAILMAP,
        [
            {
                "id": repository_id,
                "name": name,
                "email": email,
                "mailmap_email": identity.email,
                "mailmap_name": identity.name,
                "key": identity.key,
                "source": identity.source,
            }
            for (name, email), identity in identities.items()
            if saved.get((name, email)) != identity
        ],
    )
