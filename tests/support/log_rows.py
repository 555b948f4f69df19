"""The commits of a commit log, with people instead of their ordinals."""

from __future__ import annotations

from typing import Any

from podium.history.roles import ROLES
from podium.repositories.store import queries
from podium.storage.commit_log import segments
from podium.storage.session import Session

Person = tuple[str, str]
# Author, is_merge, date, people whom it names, pairs of role and person, the beginning of its id.
Commit = tuple[Person, int, int, list[Person], list[tuple[str, Person]], str]


def logged_commits(session: Session, repository_id: int) -> list[Commit]:
    """All commits of a repository's valid count, sorted; whatever their segments are."""
    row = queries.by_id(session, repository_id)
    assert row is not None
    people: dict[int, Person] = {
        ordinal: (name, email)
        for ordinal, name, email in session.tuples(
            f"SELECT ordinal, name, email FROM commit_data WHERE {queries.OF_VALID_COUNT}", id=repository_id
        )
    }
    found: list[Any] = []
    for _, segment in segments.load(session, repository_id, row.count_id):
        place = 0
        for key, commits in segment.authors:
            for place in range(place, place + commits):  # noqa: B020
                named = segment.named_sets[segment.named[place] - 1] if segment.named[place] else ()
                roles = segment.role_sets[segment.roles[place] - 1] if segment.roles[place] else ()
                found.append(
                    (
                        *(people[key // 2], key % 2, segment.dates[place]),
                        sorted(people[ordinal] for ordinal in named),
                        sorted((ROLES[member % 8], people[member // 8]) for member in roles),
                        segment.oids[8 * place : 8 * place + 8].hex(),
                    )
                )
            place += 1
    return sorted(found)
