"""Sums by week and first and last dates, made from the commit log for an older Podium.

The older Podium counts the repositories again, because the log was made by newer rules; until then it shows these sums.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import sqlalchemy as sa

from podium.storage.commit_log.codec import decode
from podium.storage.commit_log.segment import Segment
from podium.timeutil import week_of

# The dates that the older Podium knows: from the first Sunday of year 1 to the end of 9999. Others are clamped.
_EARLIEST = -62_135_078_400
_LATEST = 253_402_300_799
_UNREADABLE = -(2**63)

_COLUMNS = ("authors", "dates", "named", "named_sets")
_COUNTS = ("commit_count", "merge_count", "co_authored_count", "co_authored_merge_count")
_WHATS = ("commit", "merge", "co_authored")
_EDGES = tuple(f"{edge}_{what}_at" for what in _WHATS for edge in ("first", "last"))

_REPOSITORIES = "SELECT id, count_id FROM repository WHERE head IS NOT NULL ORDER BY id"
_SEGMENT = f"""
SELECT segment, commits, {", ".join(_COLUMNS)} FROM commit_log
WHERE repository_id = :id AND count_id = :count AND segment > :last ORDER BY segment LIMIT 1
"""
_PEOPLE = "SELECT ordinal, id FROM commit_data WHERE repository_id = :id AND count_id = :count"

_ADD_WEEK = f"""
INSERT INTO weekly_activity (repository_id, commit_data_id, week, {", ".join(_COUNTS)})
VALUES (:id, :row, :week, {", ".join(f":{name}" for name in _COUNTS)})
ON CONFLICT (repository_id, commit_data_id, week) DO UPDATE SET
    {", ".join(f"{name} = weekly_activity.{name} + excluded.{name}" for name in _COUNTS)}
"""
_SET_SUMS = f"""
UPDATE commit_data SET co_authored_count = :co_authored_count, co_authored_merge_count = :co_authored_merge_count,
    odd_dates = :odd_dates, {", ".join(f"{name} = :{name}" for name in _EDGES)}
WHERE id = :row
"""

# By ordinal and week: commits, merges, co-authored commits, co-authored merges.
Weeks = dict[tuple[int, int], list[int]]


class _Person:
    def __init__(self) -> None:
        self.co_authored = [0, 0]
        self.odd_dates = 0
        self.edges: list[tuple[int, int] | None] = [None, None, None]

    def see(self, what: int, date: int) -> None:
        edge = self.edges[what]
        self.edges[what] = (date, date) if edge is None else (min(edge[0], date), max(edge[1], date))


def write_weeks(connection: sa.Connection) -> None:
    """Fill the weekly rows and the sums of people from the log, one repository and segment after the other."""
    for number, count_id in connection.execute(sa.text(_REPOSITORIES)).all():
        values = {"id": number, "count": count_id}
        rows = {row.ordinal: row.id for row in connection.execute(sa.text(_PEOPLE), values)}
        people: dict[int, _Person] = {}
        for segment in _segments(connection, number, count_id):
            weeks = _added(segment, people)
            parameters = [
                {"id": number, "row": rows[ordinal], "week": week, **dict(zip(_COUNTS, counts, strict=True))}
                for (ordinal, week), counts in weeks.items()
            ]
            if parameters:
                connection.execute(sa.text(_ADD_WEEK), parameters)
        sums = [_sums(rows[ordinal], person) for ordinal, person in people.items()]
        if sums:
            connection.execute(sa.text(_SET_SUMS), sums)


def _segments(connection: sa.Connection, repository_id: int, count_id: int) -> Iterator[Segment]:
    last = 0
    while True:
        values = {"id": repository_id, "count": count_id, "last": last}
        found = connection.execute(sa.text(_SEGMENT), values).first()
        if found is None:
            return
        last, commits, *packed = found
        yield decode({name: bytes(each) for name, each in zip(_COLUMNS, packed, strict=True)}, commits)


def _added(segment: Segment, people: dict[int, _Person]) -> Weeks:
    weeks: Weeks = {}
    entries = zip(segment.dates, segment.named, strict=True)
    for key, commits in segment.authors:
        author, is_merge = key // 2, key % 2
        for when, named in itertools.islice(entries, commits):
            date = 0 if when == _UNREADABLE else min(max(when, _EARLIEST), _LATEST)
            week = week_of(date)
            weeks.setdefault((author, week), [0, 0, 0, 0])[is_merge] += 1
            person = people.setdefault(author, _Person())
            person.see(is_merge, date)
            person.odd_dates += when != date or date < 0
            for ordinal in segment.named_sets[named - 1] if named else ():
                weeks.setdefault((ordinal, week), [0, 0, 0, 0])[2 + is_merge] += 1
                other = people.setdefault(ordinal, _Person())
                other.co_authored[is_merge] += 1
                other.see(2, date)
    return weeks


def _sums(row: int, person: _Person) -> dict[str, int | None]:
    dates = [date for edge in person.edges for date in (edge or (None, None))]
    return {
        "row": row,
        "co_authored_count": person.co_authored[0],
        "co_authored_merge_count": person.co_authored[1],
        "odd_dates": person.odd_dates,
        **dict(zip(_EDGES, dates, strict=True)),
    }
