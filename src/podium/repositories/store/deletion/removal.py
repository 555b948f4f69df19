"""Forget a repository: one short transaction takes it away from readers and workers, and bounded steps delete its rows.

A marked row has neither the identity nor the board of the repository, which may be submitted again meanwhile. A worker
that still counts it has lost its lease, so it saves nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from podium.repositories.model import Repository
from podium.repositories.store.deletion import hidden_counts
from podium.repositories.store.queries import SELECT, update_some
from podium.storage.commit_log import segments
from podium.storage.session import Session
from podium.storage.transactions.steps import EMAILS_PER_QUERY, chunked

# Rows of one step.
_ROWS = 1000
# Known e-mails that no commit needs stay for this time: a count that is being saved may need them.
_RECENTLY = 3600.0
_ANY = -1e12

_MARK = """
UPDATE repository SET
    key = '~forgotten/' || id, url = '~forgotten/' || id, host = '', owner = '', name = '', search_text = '',
    revision = NULL, parent_key = NULL, branch = NULL, head = NULL, base = NULL, roots = NULL, mailmap = NULL,
    client_id = NULL, progress = NULL, refresh_error = NULL, refresh_error_at = NULL, unresolved_reason = NULL,
    waiting_reason = NULL, waiting_code = NULL, host_number = NULL, check_at = NULL, name_taken_at = NULL,
    taken_number = NULL,
    state = 'failed', error = 'It is being deleted.', error_code = 'forgotten', commits_processed_at = NULL,
    count_id = lease_token + 1, lease_token = lease_token + 1, lease_holder = NULL, lease_until = NULL,
    generation = generation + 1, hidden_at = {now}, forgotten_at = {now}, updated_at = {now}
WHERE id = :id AND forgotten_at IS NULL
"""

_DELETE_PEOPLE = """
DELETE FROM commit_data WHERE id IN (SELECT id FROM commit_data WHERE repository_id = :id LIMIT :rows)
RETURNING email
"""
_DELETE_SUMS = """
DELETE FROM repository_contributor WHERE repository_id = :id AND contributor_id IN (
    SELECT contributor_id FROM repository_contributor WHERE repository_id = :id LIMIT :rows
) RETURNING contributor_id
"""

# Locked in one order.
_DELETE_EMAILS = """
DELETE FROM known_email WHERE host = :host AND email IN (
    SELECT k.email FROM known_email k WHERE k.host = :host AND k.email IN ({emails}) AND k.known_at <= {{now}} - :age
        AND NOT EXISTS (SELECT 1 FROM commit_data c WHERE c.email = k.email)
    ORDER BY k.email {{skip_locked}}
) RETURNING contributor_id
"""
_DELETE_CONTRIBUTORS = """
DELETE FROM contributor WHERE id IN (
    SELECT p.id FROM contributor p WHERE p.id IN ({ids})
        AND NOT EXISTS (SELECT 1 FROM known_email k WHERE k.contributor_id = p.id)
        AND NOT EXISTS (SELECT 1 FROM repository_contributor r WHERE r.contributor_id = p.id)
    ORDER BY p.id {{skip_locked}}
) RETURNING avatar_url
"""


def lock_family(session: Session, repository_id: int) -> list[Repository]:
    """Lock a repository and its branches and tags, and return them; of a branch or tag only itself.

    Empty: there is no such repository, or it is being deleted.
    """
    rows = session.all(
        f"""{SELECT} FROM repository WHERE forgotten_at IS NULL AND (id = :id
            OR parent_key = (SELECT key FROM repository WHERE id = :id AND parent_key IS NULL))
        ORDER BY id {{for_update}}""",
        id=repository_id,
    )
    return [Repository.from_row(row) for row in rows]


def mark(session: Session, repository: Repository) -> None:
    """Take a locked repository away from readers and workers."""
    session.run(_MARK, id=repository.id)
    session.run("DELETE FROM former_name WHERE repository_id = :id", id=repository.id)
    session.run("DELETE FROM pause WHERE kind = 'repository' AND name = :name", name=str(repository.id))
    hidden_counts.hide(session, repository.id, repository.count_id)


def marked(session: Session, *, limit: int) -> list[int]:
    """The repositories whose rows are being deleted."""
    rows = session.tuples(
        # By the index of keys; no host begins with a tilde.
        """SELECT id FROM repository WHERE key >= '~forgotten/' AND key < '~forgotten0' AND forgotten_at IS NOT NULL
        ORDER BY key LIMIT :limit""",
        limit=limit,
    )
    return [number for (number,) in rows]


def remove_some(session: Session, repository_id: int) -> tuple[bool, list[str]]:
    """Delete some rows of a marked repository, and the row in the end.

    Returns:
        Whether there is more, and the addresses of pictures that no account has any more.
    """
    row = session.one(
        "SELECT id FROM repository WHERE id = :id AND forgotten_at IS NOT NULL {for_update}", id=repository_id
    )
    if row is None:
        return False, []
    count_id = session.value("SELECT min(count_id) FROM commit_log WHERE repository_id = :id", id=repository_id)
    if count_id is not None:
        segments.delete_some(session, repository_id, count_id)
        return True, []
    if emails := session.tuples(_DELETE_PEOPLE, id=repository_id, rows=_ROWS):
        return True, drop_unused(session, {email for (email,) in emails}, age=_ANY)
    if sums := session.tuples(_DELETE_SUMS, id=repository_id, rows=_ROWS):
        return True, _drop_contributors(session, sorted(number for (number,) in sums))
    session.run("DELETE FROM hidden_count WHERE repository_id = :id", id=repository_id)
    session.run("DELETE FROM repository WHERE id = :id", id=repository_id)
    return False, []


def drop_unused(session: Session, emails: Collection[str], *, age: float = _RECENTLY) -> list[str]:
    """Delete what is known of those of ``emails`` that no repository has, and accounts that nothing names then.

    Args:
        age: seconds for which an e-mail has been known at least.

    Returns:
        The addresses of the accounts' pictures.
    """
    contributors: set[int] = set()
    for some in chunked(sorted(emails), EMAILS_PER_QUERY):
        names = {f"e{place}": email for place, email in enumerate(some)}
        sql = _DELETE_EMAILS.format(emails=", ".join(f":{name}" for name in names))
        for host in _hosts(session):
            rows = session.tuples(sql, host=host, age=age, **names)
            contributors.update(number for (number,) in rows if number is not None)
    return _drop_contributors(session, sorted(contributors))


def unused_after(session: Session, after: tuple[str, str], *, limit: int) -> tuple[list[str], tuple[str, str] | None]:
    """Return which of the next ``limit`` known e-mails no repository has, and where to continue; None: at the end."""
    rows = session.tuples(
        """SELECT k.host, k.email, EXISTS (SELECT 1 FROM commit_data c WHERE c.email = k.email) FROM known_email k
        WHERE (k.host, k.email) > (:host, :email) ORDER BY k.host, k.email LIMIT :limit""",
        host=after[0],
        email=after[1],
        limit=limit,
    )
    end = (rows[-1][0], rows[-1][1]) if len(rows) == limit else None
    return [email for _, email, is_used in rows if not is_used], end


def unused_contributors_after(session: Session, after: int, *, limit: int) -> tuple[list[int], int | None]:
    """Like :func:`unused_after`, for accounts that neither an e-mail nor a repository names."""
    rows = session.tuples(
        """SELECT p.id, EXISTS (SELECT 1 FROM known_email k WHERE k.contributor_id = p.id)
            OR EXISTS (SELECT 1 FROM repository_contributor r WHERE r.contributor_id = p.id)
        FROM contributor p WHERE p.id > :after AND p.updated_at <= {now} - :age ORDER BY p.id LIMIT :limit""",
        after=after,
        age=_RECENTLY,
        limit=limit,
    )
    return [number for number, is_used in rows if not is_used], rows[-1][0] if len(rows) == limit else None


def drop_contributors(session: Session, contributors: Collection[int]) -> list[str]:
    """Delete those of ``contributors`` that nothing names; return the addresses of their pictures."""
    return _drop_contributors(session, sorted(contributors))


def _drop_contributors(session: Session, contributors: Sequence[int]) -> list[str]:
    pictures: list[str] = []
    for some in chunked(contributors, EMAILS_PER_QUERY):
        names = {f"c{place}": number for place, number in enumerate(some)}
        sql = _DELETE_CONTRIBUTORS.format(ids=", ".join(f":{name}" for name in names))
        pictures += [url for (url,) in session.tuples(sql, **names) if url]
    return pictures


# The schedule and pushes count a board again, however long ago it was read.
_OLD = "coalesce({0}.last_read_at, {0}.created_at) < {{now}} - :age"
_UNREAD = f"""r.host <> '' AND r.state IN ('completed', 'failed') AND r.last_read_at IS NOT NULL AND {_OLD.format("r")}
    AND (r.lease_until IS NULL OR r.lease_until < {{now}})
    AND NOT EXISTS (SELECT 1 FROM repository c WHERE c.parent_key = r.key AND NOT (
        c.state IN ('completed', 'failed') AND {_OLD.format("c")}
    ))"""


def begin_reads(session: Session, *, limit: int) -> int:
    """Note a read of ``limit`` boards without one: from now on it is known whether they are read."""
    return session.run(
        update_some(
            "last_read_at = {now}",
            chosen="""SELECT id FROM repository WHERE last_read_at IS NULL AND host <> '' AND parent_key IS NULL
                ORDER BY id LIMIT :limit {skip_locked}""",
        ),
        limit=limit,
    )


def unread(session: Session, *, age: float, kept: Collection[str], limit: int) -> list[int]:
    """Return repositories at an address that were neither read nor submitted for ``age`` seconds, and are not in work.

    A board of a branch or tag, too, keeps its repository. ``kept``: identities that are never returned, also
    under another name.
    """
    names = {f"k{place}": key for place, key in enumerate(kept)}
    marks = ", ".join(f":{name}" for name in names)
    others = (
        f"""AND r.key NOT IN ({marks})
        AND NOT EXISTS (SELECT 1 FROM former_name f WHERE f.repository_id = r.id AND f.key IN ({marks}))"""
        if names
        else ""
    )
    rows = session.tuples(
        f"SELECT r.id FROM repository r WHERE {_UNREAD} {others} ORDER BY r.id LIMIT :limit",
        age=age,
        limit=limit,
        **names,
    )
    return [number for (number,) in rows]


def is_unread(session: Session, repository_id: int, *, age: float) -> bool:
    """Whether :func:`unread` would return it; locks it."""
    found = session.one(
        f"SELECT r.id FROM repository r WHERE r.id = :id AND {_UNREAD} {{for_update}}", id=repository_id, age=age
    )
    return found is not None


def pictures_after(session: Session, last: int, *, limit: int) -> list[tuple[int, str]]:
    """The addresses of the next accounts' pictures, with the accounts' ids."""
    return session.tuples(
        """SELECT id, coalesce(avatar_url, '') FROM contributor WHERE id > :last ORDER BY id LIMIT :limit""",
        last=last,
        limit=limit,
    )


def _hosts(session: Session) -> list[str]:
    """Those of known e-mails: very few, found by their index."""
    found: list[str] = []
    last = ""
    while (last := session.value("SELECT min(host) FROM known_email WHERE host > :last", last=last)) is not None:
        found.append(last)
    return found


def latest(session: Session) -> tuple[object, ...]:
    """A value that changes when a repository is hidden, when an administrator removes a repository or a person, and
    while a worker takes a forgotten person off more boards.

    What a server keeps for the time when the database is away must not show them.
    """
    row = session.one(
        """SELECT (SELECT max(hidden_at) FROM repository WHERE hidden_at IS NOT NULL) AS hidden,
            (SELECT max(id) FROM audit_log) AS acts,
            (SELECT min(swept_to) FROM block WHERE kind = 'person' AND swept_to IS NOT NULL) AS swept"""
    )
    return () if row is None else (row["hidden"], row["acts"], row["swept"])
