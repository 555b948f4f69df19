"""Saves a count in one transaction, under the lease's fence and the condition of the old head."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from podium.clones.mailmap import Identity
from podium.errors import LeaseLost
from podium.history.totals import COUNTING_VERSION, PersonTotals, Tally
from podium.repositories.model import Repository
from podium.repositories.store import queries, transitions
from podium.storage.session import Row, Session

Pair = tuple[str, str]

_PERSON_COLUMNS = (
    *("repository_id", "email", "name", "mailmap_email", "mailmap_name", "mailmap_identity"),
    *("commit_count", "merge_count", "co_authored_count", "co_authored_merge_count"),
    *("first_commit_at", "last_commit_at", "first_merge_at", "last_merge_at"),
    *("first_co_authored_at", "last_co_authored_at", "odd_dates", "sample_sha", "sample_co_authors", "other_sha"),
    *("kind", "processed"),
)
_COUNTS = ("commit_count", "merge_count", "co_authored_count", "co_authored_merge_count")
# E-mails per query; for more, all rows of the repository are read.
_MOST_ASKED = 500
_WEEK_COLUMNS = ("repository_id", "commit_data_id", "week", *_COUNTS)


class ClassifiedEmails(Protocol):
    """What e-mails alone say about people."""

    @property
    def kinds(self) -> Mapping[str, str]:
        """'bot' or 'agent' for each e-mail that is not a human's."""

    @property
    def can_look_up(self) -> bool:
        """Whether a lookup can follow."""

    def save_links(self, session: Session, repository_id: int) -> None:
        """Link e-mails to known accounts."""


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
    return f"""{column} = CASE WHEN excluded.sample_co_authors < commit_data.sample_co_authors
        THEN excluded.{column} ELSE commit_data.{column} END"""


# The older of two other commits; without one, the sample that is replaced.
_OTHER = """other_sha = COALESCE(commit_data.other_sha, CASE
    WHEN excluded.sample_co_authors < commit_data.sample_co_authors THEN commit_data.sample_sha
    ELSE excluded.sample_sha END)"""

_ADD_PERSON = f"""{_insert("commit_data", _PERSON_COLUMNS)} ON CONFLICT (repository_id, email, name) DO UPDATE SET
    {_added("commit_data", (*_COUNTS, "odd_dates"))}, {_edges()},
    {_OTHER}, {_better_sample("sample_sha")}, {_better_sample("sample_co_authors")}"""

_ADD_WEEK = f"""{_insert("weekly_activity", _WEEK_COLUMNS)}
    ON CONFLICT (repository_id, commit_data_id, week) DO UPDATE SET {_added("weekly_activity", _COUNTS)}"""

_MAILMAP = """
UPDATE commit_data SET mailmap_email = :mailmap_email, mailmap_name = :mailmap_name, mailmap_identity = :key
WHERE repository_id = :repository_id AND email = :email AND name = :name
"""


def known_pairs(
    session: Session, repository_id: int, column: str = "", values: Collection[str] | None = None
) -> dict[Pair, Identity]:
    """Return saved (name, e-mail) pairs with their identities: all, or at least those with ``values`` in ``column``."""
    return {
        (row["name"], row["email"]): Identity(row["mailmap_email"], row["mailmap_name"], row["mailmap_identity"])
        for row in _saved(session, repository_id, column, values)
    }


def number_of_people(session: Session, repository_id: int) -> int:
    number: int = session.value("SELECT count(*) FROM commit_data WHERE repository_id = :id", id=repository_id)
    return number


_IDENTITY = "name, email, mailmap_email, mailmap_name, mailmap_identity"


def _saved(
    session: Session, repository_id: int, column: str, values: Collection[str] | None, *, columns: str = _IDENTITY
) -> list[Row]:
    if values is not None and not values:
        return []
    asked = {} if values is None or len(values) > _MOST_ASKED else {f"v{n}": value for n, value in enumerate(values)}
    restricted = f"AND {column} IN ({', '.join(f':{name}' for name in asked)})" if asked else ""
    return session.all(
        f"SELECT {columns} FROM commit_data WHERE repository_id = :id {restricted}",
        id=repository_id,
        **asked,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """A finished count.

    repository: as it was when counting began.
    since: the head that the count continued from; None: all of history was counted.
    identities: mailmap identities of the counted people, and of earlier people who change.
    """

    repository: Repository
    since: str | None
    head: str
    branch: str | None
    mailmap: str | None
    tally: Tally
    identities: Mapping[Pair, Identity]
    people: ClassifiedEmails


def save_count(session: Session, count: Count) -> None:
    """Save a count, link its people, and move the repository to the user stage.

    ``session``: a transaction under the lease's fence.

    Raises:
        LeaseLost: the saved totals are not those that the count continued from; nothing is saved.
    """
    started, tally = count.repository, count.tally
    number = started.id
    now = queries.by_id(session, number)
    if now is None or now.head != started.head:
        raise LeaseLost("Another worker has counted this repository meanwhile.")
    if count.since is None:
        session.run("DELETE FROM weekly_activity WHERE repository_id = :id", id=number)
        session.run("DELETE FROM commit_data WHERE repository_id = :id", id=number)
    persons = (_person_row(number, person, count.identities, count.people) for person in tally.persons())
    if count.since:
        session.executemany(_ADD_PERSON, persons)
        _save_identities(session, number, count.identities)
        emails = {email for _, email in tally.people()}
        session.executemany(_ADD_WEEK, _week_rows(number, _numbers(session, number, emails), tally))
    else:
        session.copy("commit_data", _PERSON_COLUMNS, persons)
        session.copy("weekly_activity", _WEEK_COLUMNS, _week_rows(number, _numbers(session, number), tally))
    is_saved = transitions.save_counted(
        session,
        started,
        head=count.head,
        branch=count.branch,
        mailmap=count.mailmap or "",
        version=COUNTING_VERSION,
        total=tally.total_commits + ((now.total_commits or 0) if count.since else 0),
        merges=tally.merge_commits + ((now.merge_commits or 0) if count.since else 0),
        trimmed=tally.trimmed_commits + (now.trimmed_commits if count.since else 0),
    )
    if not is_saved:
        raise LeaseLost("Another worker has taken this repository over.")
    count.people.save_links(session, number)


def _person_row(
    repository_id: int, person: PersonTotals, identities: Mapping[Pair, Identity], people: ClassifiedEmails
) -> tuple[object, ...]:
    email, name, *totals = person
    identity = identities[name, email]
    kind = people.kinds.get(email, "human")
    processed = not people.can_look_up
    return repository_id, email, name, identity.email, identity.name, identity.key, *totals, kind, processed


def _save_identities(session: Session, repository_id: int, identities: Mapping[Pair, Identity]) -> None:
    """A changed mailmap also applies to the rows of earlier counts."""
    saved = known_pairs(session, repository_id, "email", {email for _, email in identities})
    session.executemany(
        _MAILMAP,
        [
            {
                "repository_id": repository_id,
                "name": name,
                "email": email,
                "mailmap_email": identity.email,
                "mailmap_name": identity.name,
                "key": identity.key,
            }
            for (name, email), identity in identities.items()
            if saved.get((name, email)) != identity
        ],
    )


def _numbers(session: Session, repository_id: int, emails: Collection[str] | None = None) -> dict[Pair, int]:
    """Return row ids; at least of ``emails``, if given."""
    rows = _saved(session, repository_id, "email", emails, columns="id, name, email")
    return {(row["name"], row["email"]): row["id"] for row in rows}


def _week_rows(repository_id: int, numbers: Mapping[Pair, int], tally: Tally) -> Iterator[tuple[int, ...]]:
    """In the order of the table, which numbered people as they were counted."""
    for person, weeks in tally.weeks():
        number = numbers[person]
        for week in weeks:
            yield repository_id, number, *week
