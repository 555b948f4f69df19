"""Read repositories, hidden ones too; what readers may see is in :mod:`podium.repositories.store.readers.readable`."""

from __future__ import annotations

from podium.repositories.model import COLUMNS, Repository
from podium.storage.session import Session

SELECT = f"SELECT {', '.join(COLUMNS)}"
# Paths of this machine (host '') belong to the command line.
AT_AN_ADDRESS = "host <> ''"
# Its rows are being deleted: see store/deletion/removal.py.
NOT_FORGOTTEN = "forgotten_at IS NULL"

# A repository with its branches and tags: they are named, hidden and taken together.
FAMILY = "(key = :family OR parent_key = :family)"
# The same with a further condition, of rows that are changed together: two processes do not wait for each other.
FAMILY_IN_ORDER = f"id IN (SELECT id FROM repository WHERE {FAMILY} AND %s ORDER BY id {{for_update}})"

# No lease holds at this moment.
NOT_HELD = "(lease_until IS NULL OR lease_until < {now})"

# The same for a worker that takes a repository. A holder cannot renew while the database is away, so it has ten seconds
# from the database's start to do so.
FREE = """(lease_until IS NULL OR lease_until < {now}
    AND (lease_until >= {up_since} OR {up_since} < {now} - 10))"""

# Rows of repository :id that belong to its valid count; readers see no others.
OF_VALID_COUNT = "repository_id = :id AND count_id = (SELECT count_id FROM repository WHERE id = :id)"


def update_some(assignments: str, *, chosen: str) -> str:
    """The UPDATE of the rows that a SELECT with a limit chooses and locks.

    PostgreSQL may run a plain subquery once for each row, and each time it locks further rows, up to the limit.
    """
    return f"""UPDATE repository SET {assignments}
    WHERE id IN (WITH chosen AS MATERIALIZED ({chosen}) SELECT id FROM chosen)"""


def one(session: Session, sql: str, **parameters: object) -> Repository | None:
    row = session.one(sql, **parameters)
    return None if row is None else Repository.from_row(row)


def by_key(session: Session, key: str) -> Repository | None:
    return one(session, f"{SELECT} FROM repository WHERE key = :key", key=key)


def by_url(session: Session, url: str) -> Repository | None:
    return one(session, f"{SELECT} FROM repository WHERE url = :url", url=url)


def by_id(session: Session, repository_id: int) -> Repository | None:
    return one(session, f"{SELECT} FROM repository WHERE id = :id AND {NOT_FORGOTTEN}", id=repository_id)


def roots(session: Session, repository_id: int) -> list[str]:
    """Return the ids of a repository's root commits. Read on purpose only: there may be a thousand."""
    found: str | None = session.value("SELECT roots FROM repository WHERE id = :id", id=repository_id)
    return (found or "").split()


def lock(session: Session, repository_id: int) -> Repository | None:
    """Lock a row against other writers until the transaction ends, and return it."""
    return one(session, f"{SELECT} FROM repository WHERE id = :id AND {NOT_FORGOTTEN} {{for_update}}", id=repository_id)


def latest(session: Session, *, limit: int) -> list[Repository]:
    """Return all repositories, also paths and revisions; the latest count comes first."""
    rows = session.all(
        f"""{SELECT} FROM repository WHERE {NOT_FORGOTTEN}
        ORDER BY coalesce(commits_processed_at, created_at) DESC, id DESC LIMIT :limit""",
        limit=limit,
    )
    return [Repository.from_row(row) for row in rows]


def count_all(session: Session) -> int:
    """How many rows :func:`latest` has without a limit."""
    number: int = session.value(f"SELECT count(*) FROM repository WHERE {NOT_FORGOTTEN}")
    return number


def mirrored_after(session: Session, last: int, *, limit: int) -> list[tuple[int, str, str, str, str]]:
    """Return what names a mirror of the next repositories: id, host, owner, name, and the repository's key."""
    return session.tuples(
        f"""SELECT id, host, owner, name, coalesce(parent_key, key) FROM repository
        WHERE id > :last AND {AT_AN_ADDRESS} ORDER BY id LIMIT :limit""",
        last=last,
        limit=limit,
    )


def completed_ids(session: Session) -> list[int]:
    rows = session.all(f"SELECT id FROM repository WHERE state = 'completed' AND {AT_AN_ADDRESS}")
    return [row["id"] for row in rows]


def linked_with_email(session: Session, email: str) -> list[int]:
    """Return the repositories with that e-mail whose people are, or are being, linked to accounts."""
    rows = session.all(
        """SELECT DISTINCT r.id FROM commit_data c JOIN repository r ON r.id = c.repository_id
        WHERE c.email = :email AND c.count_id = r.count_id
            AND r.state IN ('users_processing', 'completed')""",
        email=email,
    )
    return [row["id"] for row in rows]


def check_readable(session: Session) -> None:
    """Raise StorageError if the table cannot be read."""
    session.value("SELECT max(id) FROM repository")
