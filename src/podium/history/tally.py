"""Facts of commits folded to totals. Memory is bounded by persons and the weeks in which they worked. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from podium.history.commits import EARLIEST, LATEST, CommitFacts, Person

# What this way of counting means; totals that another version made must not be added to.
COUNTING_VERSION = 1

_WEEK = 7 * 24 * 3600
# The epoch was a Thursday: Sunday came four days before.
_SINCE_SUNDAY = 4 * 24 * 3600

# A week's four counts in one integer of 40 bits each: a tenth of the memory of a list of four.
_BITS = 40
_MASK = (1 << _BITS) - 1
_MERGE, _CO_AUTHORED, _CO_AUTHORED_MERGE = (1 << _BITS * place for place in (1, 2, 3))

_NO_SAMPLE = 1 << 30


@dataclass(frozen=True, slots=True)
class PersonTotals:
    """Everything counted of one (e-mail, name).

    ``commits`` and ``co_authored`` are of ordinary commits, ``merges`` and ``co_authored_merges`` of commits with
    two parents or more. Dates are epoch seconds, None where that kind has no commit; ``co_authored`` dates are of
    both kinds. ``odd_dates`` are authored commits whose date was missing, negative or clamped. ``sample_sha`` names
    a commit of this person's that has the fewest co-authors, ``sample_co_authors`` of them; ``other_sha`` another one,
    rather old than new, None where there is no other.
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
    """What grows while commits are counted. The sums are made of the weeks when they are asked for."""

    __slots__ = (
        "first_co_authored",
        "first_commit",
        "first_merge",
        "last_co_authored",
        "last_commit",
        "last_merge",
        "odd_dates",
        "other",
        "sample",
        "sample_co_authors",
        "weeks",
    )

    def __init__(self) -> None:
        self.weeks: dict[int, int] = {}
        self.first_commit = self.first_merge = self.first_co_authored = LATEST + 1
        self.last_commit = self.last_merge = self.last_co_authored = EARLIEST - 1
        self.odd_dates = 0
        self.sample = self.other = b""
        self.sample_co_authors = _NO_SAMPLE


def week_of(when: int) -> int:
    """The epoch second of the Sunday, 00:00 UTC, at which the week of ``when`` begins."""
    return when - (when + _SINCE_SUNDAY) % _WEEK


class Tally:
    """The totals of a walk over commits.

    Attributes:
        total_commits: all commits, merges too.
        merge_commits: those with two parents or more.
    """

    def __init__(self) -> None:
        self.total_commits = 0
        self.merge_commits = 0
        self._records: dict[Person, _Record] = {}

    def add(self, sha: bytes, facts: CommitFacts) -> None:
        """Count one commit; each must be given once."""
        author, when, odd_date, is_merge, co_authors = facts
        self.total_commits += 1
        week = when - (when + _SINCE_SUNDAY) % _WEEK
        try:
            record = self._records[author]
        except KeyError:
            record = self._records[author] = _Record()
        if is_merge:
            self.merge_commits += 1
            record.weeks[week] = record.weeks.get(week, 0) + _MERGE
            record.first_merge = min(record.first_merge, when)
            record.last_merge = max(record.last_merge, when)
        else:
            record.weeks[week] = record.weeks.get(week, 0) + 1
            record.first_commit = min(record.first_commit, when)
            record.last_commit = max(record.last_commit, when)
        if odd_date:
            record.odd_dates += 1
        if record.sample_co_authors and len(co_authors) < record.sample_co_authors:
            record.other, record.sample, record.sample_co_authors = record.sample, sha, len(co_authors)
        else:
            # A walk goes from new to old: the last one that is met is the oldest.
            record.other = sha
        if co_authors:
            self._add_co_authors(sha, facts, week)

    def _add_co_authors(self, sha: bytes, facts: CommitFacts, week: int) -> None:
        number = len(facts.co_authors)
        unit = _CO_AUTHORED_MERGE if facts.is_merge else _CO_AUTHORED
        for person in facts.co_authors:
            record = self._records.get(person)
            if record is None:
                record = self._records[person] = _Record()
            record.weeks[week] = record.weeks.get(week, 0) + unit
            record.first_co_authored = min(record.first_co_authored, facts.when)
            record.last_co_authored = max(record.last_co_authored, facts.when)
            if number < record.sample_co_authors:
                record.other, record.sample, record.sample_co_authors = record.sample, sha, number
            else:
                record.other = sha

    def persons(self) -> Iterator[PersonTotals]:
        """All persons, in the order in which they were first met."""
        for (name, email), record in self._records.items():
            commits, merges, co_authored, co_authored_merges = (
                sum(week[kind] for week in map(_unpacked, record.weeks.values())) for kind in range(4)
            )
            first_commit_at, last_commit_at = _span(record.first_commit, record.last_commit)
            first_merge_at, last_merge_at = _span(record.first_merge, record.last_merge)
            first_co_authored_at, last_co_authored_at = _span(record.first_co_authored, record.last_co_authored)
            yield PersonTotals(
                email=email,
                name=name,
                commits=commits,
                merges=merges,
                co_authored=co_authored,
                co_authored_merges=co_authored_merges,
                first_commit_at=first_commit_at,
                last_commit_at=last_commit_at,
                first_merge_at=first_merge_at,
                last_merge_at=last_merge_at,
                first_co_authored_at=first_co_authored_at,
                last_co_authored_at=last_co_authored_at,
                odd_dates=record.odd_dates,
                sample_sha=record.sample.decode(),
                sample_co_authors=record.sample_co_authors,
                other_sha=record.other.decode() or None,
            )

    def weeks(self) -> Iterator[tuple[str, str, int, int, int, int, int]]:
        """(e-mail, name, week, commits, merges, co-authored, co-authored merges) of every person's weeks.

        A week is the epoch second of its Sunday, 00:00 UTC.
        """
        for (name, email), record in self._records.items():
            for week, packed in record.weeks.items():
                yield (email, name, week, *_unpacked(packed))


def _unpacked(packed: int) -> tuple[int, int, int, int]:
    return packed & _MASK, packed >> _BITS & _MASK, packed >> 2 * _BITS & _MASK, packed >> 3 * _BITS


def _span(first: int, last: int) -> tuple[int | None, int | None]:
    return (first, last) if first <= last else (None, None)
