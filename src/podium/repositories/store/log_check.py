"""Compare the commit log of a repository with its totals and its people."""

from __future__ import annotations

import itertools

from podium.errors import BadCommitLog
from podium.repositories.model import Repository
from podium.repositories.store.queries import OF_VALID_COUNT, SELECT
from podium.storage.commit_log import segments
from podium.storage.commit_log.segments import check_chain
from podium.storage.session import Session

_AUTHORED = f"SELECT ordinal, commit_count, merge_count FROM commit_data WHERE {OF_VALID_COUNT}"

_BOARDS = f"""
{SELECT} FROM repository WHERE state = 'completed' AND head IS NOT NULL ORDER BY id DESC LIMIT :limit
"""


def newest_boards(session: Session, *, limit: int) -> list[Repository]:
    return [Repository.from_row(row) for row in session.all(_BOARDS, limit=limit)]


def check_log(session: Session, repository: Repository) -> None:
    """Check that the log is whole, and has as many commits of each person as ``commit_data`` says.

    Raises:
        BadCommitLog: it differs.
    """
    check_chain(
        segments.links(session, repository.id, repository.count_id),
        head=repository.head,
        total_commits=repository.total_commits,
    )
    rows = session.tuples(_AUTHORED, id=repository.id)
    expected = {2 * ordinal + place: number for ordinal, *numbers in rows for place, number in enumerate(numbers)}
    last = max((ordinal for ordinal, *_ in rows), default=-1)
    found: dict[int, int] = {}
    for _, segment in segments.load(session, repository.id, repository.count_id):
        for key, commits in segment.authors:
            found[key] = found.get(key, 0) + commits
        named = itertools.chain.from_iterable(segment.named_sets)
        with_roles = itertools.chain.from_iterable(segment.role_sets)
        if max(named, default=-1) > last or max(with_roles, default=-1) // 8 > last:
            raise BadCommitLog("The commit log names a person who is not in the table of people.")
    if found != {key: number for key, number in expected.items() if number}:
        raise BadCommitLog("The commit log has other commits of some people than their totals say.")
