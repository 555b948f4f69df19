"""All names of one repository, for what an administrator does to it."""

from __future__ import annotations

from podium.storage.session import Session


def of(session: Session, name: str) -> tuple[list[str], list[tuple[str, str]]]:
    """The keys that a repository has and had, and its numbers with their host.

    Args:
        name: one of its keys, in lower case.
    """
    rows = session.tuples(
        """SELECT DISTINCT coalesce(parent_key, key), host, host_number, id FROM repository
        WHERE host <> '' AND forgotten_at IS NULL AND (lower(key) = :name OR lower(parent_key) = :name
            OR id IN (SELECT repository_id FROM former_name WHERE lower(key) = :name))""",
        name=name,
    )
    keys = [key for key, *_ in rows]
    for *_, number in rows:
        found = session.tuples(
            "SELECT key FROM former_name WHERE repository_id = :id AND key NOT LIKE '~%' AND key NOT LIKE '%#%'",
            id=number,
        )
        keys += [key for (key,) in found]
    return sorted(set(keys)), sorted({(host, number) for _, host, number, _ in rows if number is not None})
