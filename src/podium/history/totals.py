"""Sum the facts of commits by person.

Dates are kept, eight bytes each, and summed at the end. That takes less time than weeks that grow with each commit.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from podium.history.commit import EARLIEST, LATEST, Facts, Person
from podium.timeutil import SINCE_SUNDAY, WEEK, week_of

_MERGE, _CO_AUTHORED, _CO_AUTHORED_MERGE = 1, 2, 3
_BEFORE_ALL, _AFTER_ALL = EARLIEST - 1, LATEST + 1

_NO_SAMPLE = 1 << 30
_NONE = array("q")
_EMAIL_AND_NAME = itemgetter(1, 0)

# The second of a Sunday, 00:00 UTC; commits, merges, co-authored commits, co-authored merges.
Week = tuple[int, int, int, int, int]


class PersonTotals(NamedTuple):
    """The totals of one (e-mail, name).

    ``commits`` and ``co_authored`` exclude merges; ``co_authored`` dates include them. ``odd_dates`` were missing,
    negative or clamped. ``sample_sha`` is the newest commit with the fewest co-authors; ``other_sha`` is the oldest, or
    the newest if the oldest is the sample.
    """

    email: str
    name: str
    commits: int
    merges: int
    co_authored: int
    co_authored_merges: int
    first_commit_at: int | None
    last_commit_at: int | None
    first_merge_at: int | None
    last_merge_at: int | None
    first_co_authored_at: int | None
    last_co_authored_at: int | None
    odd_dates: int
    sample_sha: str
    sample_co_authors: int
    other_sha: str | None


class _Record:
    __slots__ = (
        "dates",
        "newest",
        "newest_at",
        "odd_dates",
        "oldest",
        "oldest_at",
        "others",
        "sample",
        "sample_at",
        "sample_co_authors",
    )

    def __init__(self) -> None:
        # Of ordinary commits; others have their kind in the two lowest bits.
        self.dates = array("q")
        self.others = _NONE
        self.odd_dates = 0
        self.oldest = self.newest = self.sample = b""
        self.oldest_at, self.newest_at, self.sample_at = _AFTER_ALL, _BEFORE_ALL, _BEFORE_ALL
        self.sample_co_authors = _NO_SAMPLE

    def add_other(self, when: int, kind: int) -> None:
        if self.others is _NONE:
            self.others = array("q")
        self.others.append(when << 2 | kind)

    def extremes(self, oid: bytes, when: int) -> None:
        """Of two commits in one second the smaller oid counts, whatever their order."""
        if when < self.oldest_at or (when == self.oldest_at and oid < self.oldest):
            self.oldest, self.oldest_at = oid, when
        if when > self.newest_at or (when == self.newest_at and oid < self.newest):
            self.newest, self.newest_at = oid, when

    def sampled(self, oid: bytes, when: int, co_authors: int) -> None:
        if (co_authors, -when, oid) < (self.sample_co_authors, -self.sample_at, self.sample):
            self.sample, self.sample_at, self.sample_co_authors = oid, when, co_authors


class Tally:
    """The totals of commits in any order. ``total_commits`` includes merges; ``trimmed_commits`` are beyond a limit."""

    def __init__(self) -> None:
        self.total_commits = 0
        self.merge_commits = 0
        self.trimmed_commits = 0
        self._records: dict[Person, _Record] = {}

    def add(self, oids: Sequence[bytes], facts: Iterable[Facts]) -> None:
        """Each commit must be given once."""
        records = self._records
        merges = trimmed = 0
        for oid, (author, when, odd_date, is_merge, co_authors, _, is_trimmed) in zip(oids, facts, strict=True):
            try:
                record = records[author]
            except KeyError:
                record = records[author] = _Record()
            if is_merge:
                merges += 1
                record.add_other(when, _MERGE)
            else:
                record.dates.append(when)
            if odd_date:
                record.odd_dates += 1
            # extremes(), inlined. git walks from new to old, so most commits are their author's oldest so far.
            if when <= record.oldest_at and (when < record.oldest_at or oid < record.oldest):
                record.oldest, record.oldest_at = oid, when
            if when >= record.newest_at and (when > record.newest_at or oid < record.newest):
                record.newest, record.newest_at = oid, when
            if when >= record.sample_at or record.sample_co_authors:
                record.sampled(oid, when, len(co_authors))
            if is_trimmed:
                trimmed += 1
            if co_authors:
                self._add_co_authors(oid, when, is_merge, co_authors)
        self.total_commits += len(oids)
        self.merge_commits += merges
        self.trimmed_commits += trimmed

    def _add_co_authors(self, oid: bytes, when: int, is_merge: bool, co_authors: tuple[Person, ...]) -> None:
        kind = _CO_AUTHORED_MERGE if is_merge else _CO_AUTHORED
        for person in co_authors:
            record = self._records.get(person)
            if record is None:
                record = self._records[person] = _Record()
            record.add_other(when, kind)
            record.extremes(oid, when)
            record.sampled(oid, when, len(co_authors))

    @property
    def number_of_people(self) -> int:
        return len(self._records)

    def people(self) -> list[Person]:
        return list(self._records)

    def persons(self) -> Iterator[PersonTotals]:
        """Ordered by e-mail and name, as in the database's index."""
        for person in self._ordered():
            yield _totals(*person, self._records[person])

    def weeks(self) -> Iterator[tuple[Person, list[Week]]]:
        """In the order of :meth:`persons`."""
        for person in self._ordered():
            yield person, _weeks(self._records[person])

    def _ordered(self) -> list[Person]:
        return sorted(self._records, key=_EMAIL_AND_NAME)


def _totals(name: str, email: str, record: _Record) -> PersonTotals:
    sample = record.sample
    other = record.oldest if record.oldest != sample else record.newest
    tail = (record.odd_dates, sample.decode(), record.sample_co_authors)
    other_sha = other.decode() if other != sample else None
    if not record.others:
        # Without merges or co-authored commits, oldest and newest are those of ordinary commits.
        span = (record.oldest_at, record.newest_at, None, None, None, None)
        return PersonTotals(email, name, len(record.dates), 0, 0, 0, *span, *tail, other_sha)
    merges, co_authored, co_authored_merges = _by_kind(record.others)
    counts = (len(record.dates), len(merges), len(co_authored), len(co_authored_merges))
    spans = (*_span(record.dates), *_span(merges), *_span(co_authored + co_authored_merges))
    return PersonTotals(email, name, *counts, *spans, *tail, other_sha)


def _by_kind(others: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
    found: tuple[list[int], list[int], list[int]] = ([], [], [])
    for date in others:
        found[(date & 3) - 1].append(date >> 2)
    return found


def _weeks(record: _Record) -> list[Week]:
    if len(record.dates) == 1 and not record.others:
        return [(week_of(record.dates[0]), 1, 0, 0, 0)]
    commits: dict[int, int] = {}
    for when in record.dates:
        week = when - (when + SINCE_SUNDAY) % WEEK
        commits[week] = commits.get(week, 0) + 1
    if not record.others:
        return [(week, commits[week], 0, 0, 0) for week in sorted(commits)]
    weeks = {week: [number, 0, 0, 0] for week, number in commits.items()}
    for date in record.others:
        weeks.setdefault(week_of(date >> 2), [0, 0, 0, 0])[date & 3] += 1
    return [(week, counts[0], counts[1], counts[2], counts[3]) for week, counts in sorted(weeks.items())]


def _span(dates: Sequence[int]) -> tuple[int | None, int | None]:
    return (min(dates), max(dates)) if dates else (None, None)
