"""The rows of a count: people and their weeks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from podium.clones.mailmap import Identity
from podium.history.totals import PersonTotals, Tally
from podium.repositories.store.queries import OF_VALID_COUNT
from podium.storage.session import Session
from podium.storage.steps import EMAILS_PER_QUERY, chunked

Pair = tuple[str, str]
# The values of :data:`PERSON_COLUMNS`.
PersonRow = tuple[Any, ...]

PERSON_COLUMNS = (
    *("repository_id", "count_id", "email", "name", "ordinal"),
    *("mailmap_email", "mailmap_name", "mailmap_identity", "mailmap_source"),
    *("commit_count", "merge_count", "co_authored_count", "co_authored_merge_count"),
    *("first_commit_at", "last_commit_at", "first_merge_at", "last_merge_at"),
    *("first_co_authored_at", "last_co_authored_at", "odd_dates", "sample_sha", "sample_co_authors", "other_sha"),
    *("role_only", "kind", "processed"),
)
_COUNTS = ("commit_count", "merge_count", "co_authored_count", "co_authored_merge_count")
WEEK_COLUMNS = ("repository_id", "commit_data_id", "week", *_COUNTS)


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _added(table: str, columns: Iterable[str]) -> str:
    return ", ".join(f"{column} = {table}.{column} + excluded.{column}" for column in columns)


def _edges() -> str:
    return ", ".join(
        f"""{column} = CASE WHEN commit_data.{column} IS NULL OR excluded.{column} {sign} commit_data.{column}
        THEN COALESCE(excluded.{column}, commit_data.{column}) ELSE commit_data.{column} END"""
        for what in ("commit", "merge", "co_authored")
        for column, sign in ((f"first_{what}_at", "<"), (f"last_{what}_at", ">"))
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

ADD_PERSON = f"""{_insert("commit_data", PERSON_COLUMNS)}
    ON CONFLICT (repository_id, count_id, email, name) DO UPDATE SET
    {_added("commit_data", (*_COUNTS, "odd_dates"))}, {_edges()},
    {_OTHER}, {_better_sample("sample_sha")}, {_better_sample("sample_co_authors")}, {_PROMOTED}"""

ADD_WEEK = f"""{_insert("weekly_activity", WEEK_COLUMNS)}
    ON CONFLICT (repository_id, commit_data_id, week) DO UPDATE SET {_added("weekly_activity", _COUNTS)}"""

_MAILMAP = f"""
UPDATE commit_data SET mailmap_email = :mailmap_email, mailmap_name = :mailmap_name, mailmap_identity = :key,
    mailmap_source = :source
WHERE {OF_VALID_COUNT} AND email = :email AND name = :name
"""

_IDENTITIES = f"""
SELECT name, email, mailmap_email, mailmap_name, mailmap_identity, mailmap_source FROM commit_data
WHERE {OF_VALID_COUNT}
"""

_NUMBERS = "SELECT name, email, id FROM commit_data WHERE repository_id = :id AND count_id = :count"


def known_pairs(
    session: Session, repository_id: int, column: str = "", values: Collection[str] | None = None
) -> dict[Pair, Identity]:
    """Return saved (name, e-mail) pairs with their identities: all, or those with ``values`` in ``column``."""
    if values is None:
        rows: Iterable[tuple[Any, ...]] = session.tuples(_IDENTITIES, id=repository_id)
    else:
        rows = _with(session, f"{_IDENTITIES} AND {column}", values, id=repository_id)
    return {(name, email): Identity(*identity) for name, email, *identity in rows}


def number_of_people(session: Session, repository_id: int) -> int:
    number: int = session.value(f"SELECT count(*) FROM commit_data WHERE {OF_VALID_COUNT}", id=repository_id)
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


def next_ordinal(session: Session, repository_id: int) -> int:
    last: int | None = session.value(f"SELECT MAX(ordinal) FROM commit_data WHERE {OF_VALID_COUNT}", id=repository_id)
    return 0 if last is None else last + 1


def numbers(session: Session, repository_id: int, count_id: int, emails: Collection[str]) -> dict[Pair, int]:
    """Return the ids of the rows of ``emails``."""
    rows = _with(session, f"{_NUMBERS} AND email", emails, id=repository_id, count=count_id)
    return {(name, email): row_id for name, email, row_id in rows}


def numbers_between(session: Session, first: PersonRow, last: PersonRow) -> dict[Pair, int]:
    """Return the ids of the rows from ``first`` to ``last``, in the order of :meth:`Tally.persons`."""
    repository_id, count_id, email, name, *_ = first
    rows = session.tuples(
        f"{_NUMBERS} AND (email, name) >= (:email, :name) AND (email, name) <= (:last_email, :last_name)",
        id=repository_id,
        count=count_id,
        email=email,
        name=name,
        last_email=last[2],
        last_name=last[3],
    )
    return {(name, email): row_id for name, email, row_id in rows}


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
    ordinal: int,
    kind: str,
    processed: bool,
) -> PersonRow:
    email, name, *totals, role_only, _ = person
    return (
        *(repository_id, count_id, email, name, ordinal),
        *(identity.email, identity.name, identity.key, identity.source),
        *totals,
        *(role_only, kind, processed),
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


def week_rows(repository_id: int, numbers: Mapping[Pair, int], tally: Tally) -> Iterator[tuple[int, ...]]:
    """In the order of the table, which numbered people as they were counted."""
    for person, weeks in tally.weeks():
        for week in weeks:
            yield repository_id, numbers[person], *week
