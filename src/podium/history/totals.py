"""Sum the facts of commits by person.

Each fact of a commit is kept in a column of its own, some forty bytes a commit, and sorted at the end. That takes less
time than sums that grow with each commit.
"""

from __future__ import annotations

import itertools
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from podium.history.commit import EARLIEST, LATEST, UNREADABLE, Facts
from podium.history.mention_sets import MentionSets, PeopleNumbers
from podium.history.person import Person
from podium.history.sorted_commits import SortedCommits
from podium.storage.commit_log.segment import Segment
from podium.timeutil import week_of

# A repository made of others has a root of each. More are left out, those with the greatest ids.
MOST_ROOTS = 1000

_EMAIL_AND_NAME = itemgetter(1, 0)
# More people than any commit names: the sample of a person without one, which gives way to every other.
NO_SAMPLE = 1 << 30

# The second of a Sunday, 00:00 UTC; commits, merges, co-authored commits, co-authored merges.
Week = tuple[int, int, int, int, int]


class PersonTotals(NamedTuple):
    """The totals of one (e-mail, name).

    ``commits`` and ``co_authored`` exclude merges; ``co_authored`` dates include them. ``odd_dates`` were missing,
    negative or clamped. ``sample_sha`` is the newest commit with the fewest co-authors; ``other_sha`` is the oldest, or
    the newest if the oldest is the sample. ``role_only``: no commit is by this person, or names it as co-author or
    agent; there is no sample. ``is_agent``: a trailer names an agent without an e-mail.
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
    role_only: bool
    is_agent: bool


class Tally:
    """The totals of commits in any order. ``total_commits`` includes merges."""

    def __init__(self) -> None:
        self.total_commits = 0
        self.merge_commits = 0
        self._numbers = PeopleNumbers()
        # 2 * the author's number + is_merge.
        self._authors = array("I")
        self._dates = array("q")
        self._oids = bytearray()
        self._mentions = MentionSets()
        self._trimmed: set[int] = set()
        self._roots: list[bytes] = []
        self._by_number: list[Person] = []
        self._sorted: SortedCommits | None = None

    def add(self, oids: Sequence[bytes], facts: Sequence[Facts]) -> None:
        """Each commit must be given once."""
        if not oids:
            return
        self._sorted = None
        numbers, first = self._numbers, self.total_commits
        # Column by column takes half the time of commit by commit.
        authors, dates, merges, named, roles, parents, trimmed = zip(*facts, strict=True)
        self._authors.extend(
            [numbers[author] << 1 | is_merge for author, is_merge in zip(authors, merges, strict=True)]
        )
        self._dates.extend(dates)
        self._oids += bytes.fromhex(b"".join(oids).decode())
        self._mentions.add(named, roles, numbers)
        if any(trimmed):
            self._trimmed.update(itertools.compress(range(first, first + len(oids)), trimmed))
        if not all(parents):
            self._roots += [oid for oid, lines in zip(oids, parents, strict=True) if not lines]
        self.total_commits += len(oids)
        self.merge_commits += sum(merges)

    @property
    def number_of_people(self) -> int:
        """People that commits name, also those whom the limit for a history leaves out."""
        return len(self._numbers)

    @property
    def trimmed_commits(self) -> int:
        """Commits beyond a limit."""
        return len(self._trimmed | self._mentions.fitting()[1])

    @property
    def roots(self) -> list[str]:
        """The ids of commits without a parent, in order, at most :data:`MOST_ROOTS`."""
        return [oid.decode() for oid in sorted(self._roots)[:MOST_ROOTS]]

    def people(self) -> list[Person]:
        """In the order of :meth:`persons`."""
        people = list(self._numbers)
        return sorted((people[number] for number in self._done.people()), key=_EMAIL_AND_NAME)

    def persons(self) -> Iterator[PersonTotals]:
        """Ordered by e-mail and name, as in the database's index."""
        for person in self.people():
            yield _totals(person, self._numbers[person], self._done, self._credited(person))

    def weeks(self) -> Iterator[tuple[Person, list[Week]]]:
        """In the order of :meth:`persons`."""
        for person in self.people():
            yield person, _weeks(self._numbers[person], self._done, self._credited(person))

    def segments(self, ordinals: Mapping[Person, int]) -> Iterator[Segment]:
        """The commits as a log, in segments of at most 262,144 commits.

        ordinals: the ordinal of each of :meth:`people`.
        """
        # Those whom the limit for a history leaves out have no ordinal.
        return self._done.segments([ordinals.get(person, -1) for person in self._numbers])

    def _credited(self, person: Person) -> list[int]:
        """The commits that credit a co-author while weekly rows exist: once for an e-mail, and none of its own."""
        done, people, email = self._done, self._by_number, person[1]
        number = self._numbers[person]
        return [
            commit
            for commit in done.naming(number)
            if email.strip()
            and people[done.author(commit)][1] != email
            and next(each for each in done.named(commit) if people[each][1] == email) == number
        ]

    @property
    def _done(self) -> SortedCommits:
        if self._sorted is None:
            self._by_number = list(self._numbers)
            sets, _ = self._mentions.fitting()
            self._sorted = SortedCommits(self._authors, self._dates, self._oids, self._mentions.of_commits, sets)
        return self._sorted


def _totals(person: Person, number: int, done: SortedCommits, credited: list[int]) -> PersonTotals:
    name, email = person
    commits, merges = done.by(number)
    naming = done.naming(number)
    groups = [each for each in (commits, merges, naming) if each]
    co_authored = sum(1 for commit in credited if not done.is_merge(commit))
    odd = sum(1 for commit in (*commits, *merges) if not 0 <= done.dates[commit] <= LATEST)
    sample_sha, sample_co_authors, other_sha = _samples(groups, done) if groups else ("", NO_SAMPLE, None)
    return PersonTotals(
        email,
        name,
        len(commits),
        len(merges),
        co_authored,
        len(credited) - co_authored,
        *_span(commits, done),
        *_span(merges, done),
        *_span(credited, done),
        odd,
        sample_sha,
        sample_co_authors,
        other_sha,
        role_only=not groups,
        is_agent=bool(naming) and not email.strip(),
    )


def _samples(groups: list[Sequence[int]], done: SortedCommits) -> tuple[str, int, str | None]:
    sample = done.sample(groups)
    other = done.oldest(groups)
    if other == sample:
        other = done.newest(groups)
    return done.sha(sample), done.named_people(sample), done.sha(other) if other != sample else None


def _weeks(number: int, done: SortedCommits, credited: list[int]) -> list[Week]:
    found: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    commits, merges = done.by(number)
    for kind, some in enumerate((commits, merges)):
        for commit in some:
            found[week_of(_calendar_date(done.dates[commit]))][kind] += 1
    for commit in credited:
        found[week_of(_calendar_date(done.dates[commit]))][2 + done.is_merge(commit)] += 1
    return [(week, counts[0], counts[1], counts[2], counts[3]) for week, counts in sorted(found.items())]


def _span(commits: Sequence[int], done: SortedCommits) -> tuple[int | None, int | None]:
    """The dates of the first and the last of commits in order."""
    calendar = [_calendar_date(done.dates[commit]) for commit in commits]
    return (min(calendar), max(calendar)) if calendar else (None, None)


def _calendar_date(when: int) -> int:
    return 0 if when == UNREADABLE else min(max(when, EARLIEST), LATEST)
