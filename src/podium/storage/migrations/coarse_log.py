"""The commit log of a count that was saved by week: it serves the board until the repository is counted again.

Each commit has the date of its week's Sunday, and no id. Weekly rows say how often a person was named in a week, not by
which commits. So each is named by as many commits of that week as the rows say, and by none of the person's own. A
board without joined rows shows the same co-authored commits as before.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from podium.storage.commit_log.codec import COLUMNS, encode
from podium.storage.commit_log.segment import LARGEST_SEGMENT, Segment

_CHUNK = 10_000
# Counting credited no more.
_MOST_NAMED = 100

# 2 * ordinal + is_merge, week, commits.
Run = tuple[int, int, int]
# By week and is_merge: how often each ordinal is named.
Mentions = dict[tuple[int, bool], dict[int, int]]

_REPOSITORIES = "SELECT id, count_id, head FROM repository WHERE head IS NOT NULL AND commits_processed_at IS NOT NULL"

_FROM_WEEKS = """
FROM weekly_activity w JOIN commit_data d ON d.id = w.commit_data_id
WHERE w.repository_id = :id AND d.count_id = :count AND (w.commit_data_id, w.week) > (:person, :week)
"""
_IN_ORDER = f"ORDER BY w.commit_data_id, w.week LIMIT {_CHUNK}"

_COMMITS = f"""
SELECT w.commit_data_id, w.week, d.ordinal, w.commit_count, w.merge_count {_FROM_WEEKS} {_IN_ORDER}
"""
_MENTIONS = f"""
SELECT w.commit_data_id, w.week, d.ordinal, w.co_authored_count, w.co_authored_merge_count
{_FROM_WEEKS} AND w.co_authored_count + w.co_authored_merge_count > 0 {_IN_ORDER}
"""

_INSERT = f"""
INSERT INTO commit_log (repository_id, count_id, segment, base_oid, head_oid, commits, is_coarse, {", ".join(COLUMNS)})
VALUES (:id, :count, :segment, '', :head, :commits, :is_coarse, {", ".join(f":{column}" for column in COLUMNS)})
"""


def write_coarse_logs(connection: sa.Connection) -> None:
    """Write the log of every board, one repository after the other."""
    for number, count_id, head in connection.execute(sa.text(_REPOSITORIES)).all():
        mentions = _mentions(_weeks(connection, _MENTIONS, number, count_id))
        runs = _runs(_weeks(connection, _COMMITS, number, count_id))
        for place, segment in enumerate(coarse_segments(runs, mentions), 1):
            values = {"id": number, "count": count_id, "segment": place, "head": head, "commits": segment.commits}
            connection.execute(sa.text(_INSERT), {**values, "is_coarse": True, **encode(segment)})


def _weeks(connection: sa.Connection, sql: str, repository_id: int, count_id: int) -> Iterator[tuple[Any, ...]]:
    person, week = -1, 0
    while True:
        values = {"id": repository_id, "count": count_id, "person": person, "week": week}
        rows = connection.execute(sa.text(sql), values).all()
        yield from (tuple(row[1:]) for row in rows)
        if len(rows) < _CHUNK:
            return
        person, week, *_ = rows[-1]


def _runs(weeks: Iterable[tuple[Any, ...]]) -> Iterator[Run]:
    for ordinal, rows in itertools.groupby(weeks, key=lambda row: row[1]):
        merges = []
        for week, _, commits, merged in rows:
            if commits:
                yield 2 * ordinal, week, commits
            if merged:
                merges.append((2 * ordinal + 1, week, merged))
        yield from merges


def _mentions(weeks: Iterable[tuple[Any, ...]]) -> Mentions:
    found: Mentions = {}
    for week, ordinal, in_commits, in_merges in weeks:
        for is_merge, number in ((False, in_commits), (True, in_merges)):
            if number:
                found.setdefault((week, is_merge), {})[ordinal] = number
    return found


def coarse_segments(runs: Iterable[Run], mentions: Mentions) -> Iterator[Segment]:
    """Make segments of runs of commits in order. What is named is taken out of ``mentions``."""
    part: list[Run] = []
    room = LARGEST_SEGMENT
    for key, week, commits in runs:
        left = commits
        while left:
            some = min(left, room)
            part.append((key, week, some))
            left -= some
            room -= some
            if not room:
                yield _segment(part, mentions)
                part, room = [], LARGEST_SEGMENT
    if part:
        yield _segment(part, mentions)


def _segment(runs: list[Run], mentions: Mentions) -> Segment:
    dates, named = array("q"), array("I")
    ids: dict[tuple[int, ...], int] = {}
    for key, week, commits in runs:
        sets = _named(key // 2, commits, mentions.get((week, bool(key % 2)), {}))
        named.extend(ids.setdefault(members, len(ids) + 1) for members in sets)
        named.extend(itertools.repeat(0, commits - len(sets)))
        dates.extend(itertools.repeat(week, commits))
    authors = [(key, sum(run[2] for run in some)) for key, some in itertools.groupby(runs, key=lambda run: run[0])]
    return Segment(authors, dates, named, list(ids), array("I", bytes(4 * len(dates))), [], b"")


def _named(author: int, commits: int, left: dict[int, int]) -> list[tuple[int, ...]]:
    """Return the sets that the first of a run of commits name, and take them out of ``left``."""
    others = [ordinal for ordinal in sorted(left) if ordinal != author]
    sets: list[list[int]] = [[] for _ in range(min(commits, sum(left[ordinal] for ordinal in others)))]
    mentioned = 0
    for ordinal in others:
        number = min(left[ordinal], len(sets), _MOST_NAMED * len(sets) - mentioned)
        for place in range(mentioned, mentioned + number):
            sets[place % len(sets)].append(ordinal)
        mentioned += number
        left[ordinal] -= number
        if not left[ordinal]:
            del left[ordinal]
    return [tuple(members) for members in sets if members]
