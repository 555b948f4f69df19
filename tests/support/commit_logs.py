"""The commit log of a repository, written straight into the table."""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Iterable

from podium.storage.commit_log.codec import encode
from podium.storage.commit_log.segment import Segment
from podium.storage.commit_log.segments import Link, insert
from podium.storage.session import Session


@dataclasses.dataclass(frozen=True, slots=True)
class Commit:
    """A commit by ordinals; ``roles`` are pairs (ordinal, role)."""

    author: int
    when: int
    is_merge: bool = False
    named: tuple[int, ...] = ()
    roles: tuple[tuple[int, int], ...] = ()


def segment_of(commits: Iterable[Commit]) -> Segment:
    ordered = sorted(commits, key=lambda commit: (commit.author, commit.is_merge, commit.when))
    authors: list[tuple[int, int]] = []
    named_sets: dict[tuple[int, ...], int] = {}
    role_sets: dict[tuple[int, ...], int] = {}
    named, roles = array("I"), array("I")
    for commit in ordered:
        key = 2 * commit.author + commit.is_merge
        if authors and authors[-1][0] == key:
            authors[-1] = key, authors[-1][1] + 1
        else:
            authors.append((key, 1))
        named.append(_id(named_sets, commit.named))
        roles.append(_id(role_sets, tuple(sorted(8 * ordinal + role for ordinal, role in commit.roles))))
    dates = array("q", [commit.when for commit in ordered])
    return Segment(authors, dates, named, list(named_sets), roles, list(role_sets), bytes(8 * len(ordered)))


def _id(sets: dict[tuple[int, ...], int], members: tuple[int, ...]) -> int:
    return sets.setdefault(tuple(sorted(members)), len(sets) + 1) if members else 0


def save_log(session: Session, repository_id: int, commits: Iterable[Commit]) -> None:
    """Replace the log of count 0 by one segment."""
    session.run("DELETE FROM commit_log WHERE repository_id = :id", id=repository_id)
    add_segment(session, repository_id, commits)


def add_segment(session: Session, repository_id: int, commits: Iterable[Commit]) -> None:
    """Add a segment to the log of count 0."""
    where = "FROM commit_log WHERE repository_id = :id AND count_id = 0"
    number = session.value(f"SELECT COALESCE(MAX(segment), 0) + 1 {where}", id=repository_id)
    head = session.value("SELECT head FROM repository WHERE id = :id", id=repository_id)
    segment = segment_of(commits)
    insert(session, repository_id, 0, Link(number, "", head or "", segment.commits, is_coarse=False), encode(segment))


def save_log_of_people(session: Session, repository_id: int, when: int) -> None:
    """Give the rows of ``commit_data`` ordinals, and save a log in which all of their commits have one date."""
    session.run("UPDATE commit_data SET ordinal = id WHERE repository_id = :id", id=repository_id)
    rows = session.tuples(
        "SELECT ordinal, commit_count, merge_count FROM commit_data WHERE repository_id = :id", id=repository_id
    )
    commits = [
        Commit(ordinal, when, is_merge)
        for ordinal, number, merges in rows
        for is_merge, count in ((False, number), (True, merges))
        for _ in range(count)
    ]
    save_log(session, repository_id, commits)
    session.run(
        "UPDATE repository SET total_commits = :total, merge_commits = :merges WHERE id = :id",
        id=repository_id,
        total=len(commits),
        merges=sum(commit.is_merge for commit in commits),
    )
