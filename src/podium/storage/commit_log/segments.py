"""The table ``commit_log``: the segments of a count.

Segments of one count or refresh have the same ``base_oid`` and ``head_oid``, between which their commits lie. Those of
the next refresh begin where these end, so that a segment that is missing breaks the chain.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Sequence

from podium.errors import BadCommitLog
from podium.storage.commit_log.codec import COLUMNS, decode, encode
from podium.storage.commit_log.segment import Segment
from podium.storage.session import Session
from podium.storage.transactions.steps import Step

# Segments of one query or step: a few megabytes.
_AT_A_TIME = 4

_OF_COUNT = "repository_id = :id AND count_id = :count"

_INSERT = f"""
INSERT INTO commit_log (repository_id, count_id, segment, base_oid, head_oid, commits, is_coarse, {", ".join(COLUMNS)})
VALUES (:id, :count, :segment, :base, :head, :commits, :is_coarse, {", ".join(f":{column}" for column in COLUMNS)})
"""

_DELETE = f"""
DELETE FROM commit_log WHERE {_OF_COUNT} AND segment IN (
    SELECT segment FROM commit_log WHERE {_OF_COUNT} LIMIT {_AT_A_TIME}
)
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Link:
    """What the log says about a segment without its columns.

    Attributes:
        number: its place in the count, from 1.
        base_oid: the head that its count continued from; empty if all of history was counted.
        is_coarse: its dates are only the Sundays of their weeks, and nothing else is known.
    """

    number: int
    base_oid: str
    head_oid: str
    commits: int
    is_coarse: bool


def insert(session: Session, repository_id: int, count_id: int, link: Link, columns: dict[str, bytes]) -> None:
    """Insert an encoded segment."""
    session.run(
        _INSERT,
        id=repository_id,
        count=count_id,
        segment=link.number,
        base=link.base_oid,
        head=link.head_oid,
        commits=link.commits,
        is_coarse=link.is_coarse,
        **columns,
    )


def insert_steps(
    repository_id: int, count_id: int, segments: Iterable[Segment], *, base_oid: str, head_oid: str, first: int = 1
) -> Iterator[Step]:
    """Insert segments, one a step; each is encoded before its transaction begins."""
    for number, segment in enumerate(segments, first):
        link = Link(number, base_oid, head_oid, segment.commits, is_coarse=False)
        columns = encode(segment)
        yield functools.partial(_insert, repository_id, count_id, link, columns)


def _insert(repository_id: int, count_id: int, link: Link, columns: dict[str, bytes], session: Session) -> None:
    insert(session, repository_id, count_id, link, columns)


def links(session: Session, repository_id: int, count_id: int) -> list[Link]:
    """Return the segments of a count without their columns, in order."""
    rows = session.tuples(
        f"""SELECT segment, base_oid, head_oid, commits, is_coarse FROM commit_log
        WHERE {_OF_COUNT} ORDER BY segment""",
        id=repository_id,
        count=count_id,
    )
    return [Link(number, base, head, commits, bool(is_coarse)) for number, base, head, commits, is_coarse in rows]


def check_chain(chain: Iterable[Link], *, head: str | None, total_commits: int | None) -> None:
    """Check that the segments are all of a repository's log.

    Raises:
        BadCommitLog: some are missing, or are not of this count.
    """
    if not total_commits and not (chain := list(chain)):
        # An empty range.
        return
    total, base, end = 0, "", ""
    for link in chain:
        total += link.commits
        if (link.base_oid, link.head_oid) == (base, end):
            continue
        if link.base_oid != end:
            raise BadCommitLog("The commit log lacks a segment.")
        base, end = link.base_oid, link.head_oid
    if (total, end) != (total_commits or 0, head or ""):
        raise BadCommitLog(f"The commit log has {total} of {total_commits or 0} commits.")


def load(
    session: Session, repository_id: int, count_id: int, columns: Iterable[str] = COLUMNS, *, after: int = 0
) -> Iterator[tuple[Link, Segment]]:
    """Yield the segments of a count in order, with some of their columns; authors and dates are always read.

    after: the number of the last segment that is left out.

    Raises:
        BadCommitLog: a segment is damaged.
    """
    names = [name for name in COLUMNS if name in {"authors", "dates", *columns}]
    last = after
    while True:
        rows = session.tuples(
            f"""SELECT segment, base_oid, head_oid, commits, is_coarse, {", ".join(names)} FROM commit_log
            WHERE {_OF_COUNT} AND segment > :last ORDER BY segment LIMIT {_AT_A_TIME}""",
            id=repository_id,
            count=count_id,
            last=last,
        )
        for last, base, head, commits, is_coarse, *packed in rows:
            link = Link(last, base, head, commits, bool(is_coarse))
            yield link, decode(dict(zip(names, packed, strict=True)), commits)
        if len(rows) < _AT_A_TIME:
            return


def replace(
    session: Session, repository_id: int, count_id: int, old: Sequence[Link], new: tuple[Link, dict[str, bytes]]
) -> None:
    """Replace consecutive segments by one of the same commits.

    Raises:
        BadCommitLog: they are not those that were read.
    """
    first, last = old[0], old[-1]
    found = [link for link in links(session, repository_id, count_id) if first.number <= link.number <= last.number]
    if found != [*old]:
        raise BadCommitLog("The segments of the commit log have changed while they were merged.")
    session.run(
        f"DELETE FROM commit_log WHERE {_OF_COUNT} AND segment BETWEEN :first AND :last",
        id=repository_id,
        count=count_id,
        first=first.number,
        last=last.number,
    )
    insert(session, repository_id, count_id, *new)


def delete_some(session: Session, repository_id: int, count_id: int) -> bool:
    """Delete some segments of a count; return whether there may be more."""
    return session.run(_DELETE, id=repository_id, count=count_id) == _AT_A_TIME
