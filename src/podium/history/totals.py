"""Sum the facts of commits by person.

Each fact of a commit is kept in a column of its own, some forty bytes a commit, and sorted at the end. That takes less
time than sums that grow with each commit.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from podium.history.commit import Facts
from podium.history.leaders import Leaders
from podium.history.mention_sets import MentionSets, PeopleNumbers
from podium.history.person import Person
from podium.history.sorted_commits import SortedCommits
from podium.storage.commit_log.segment import Segment

# A repository made of others has a root of each. More are left out, those with the greatest ids.
MOST_ROOTS = 1000

_EMAIL_AND_NAME = itemgetter(1, 0)
# A ranking in progress is made of this many rows: some may be bots, or addresses of one person.
_MOST_LEADERS = 100
# More people than any commit names: the sample of a person without one, which gives way to every other.
NO_SAMPLE = 1 << 30


class PersonTotals(NamedTuple):
    """The totals of one (e-mail, name).

    ``commits`` excludes merges. ``sample_sha`` is the newest commit, dated ``sample_at``, of those that name the fewest
    people; ``other_sha`` is the oldest, or the newest if the oldest is the sample. ``role_only``: no commit is by this
    person, or names it as co-author or agent; there is no sample. ``is_agent``: a trailer names an agent without an
    e-mail.
    """

    email: str
    name: str
    commits: int
    merges: int
    sample_sha: str
    sample_at: int | None
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
        self._sorted: SortedCommits | None = None
        self._people: list[Person] = []
        self._leaders = Leaders(_MOST_LEADERS)

    def add(self, oids: Sequence[bytes], facts: Sequence[Facts]) -> None:
        """Each commit must be given once."""
        if not oids:
            return
        self._sorted, self._people = None, []
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

    def latest_dates(self, most: int) -> Sequence[int]:
        """The author dates of the commits that were added last."""
        return self._dates[-most:]

    def leaders(self) -> list[tuple[Person, int]]:
        """The hundred people with the most commits so far, without merges; most commits first."""
        people = list(self._numbers)
        return [(people[number], commits) for number, commits in self._leaders.update(self._authors, len(people))]

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
        """The people, in the order of :meth:`persons`."""
        done = self._done
        if not self._people:
            people = list(self._numbers)
            self._people = sorted((people[number] for number in done.people()), key=_EMAIL_AND_NAME)
        return self._people

    def people_by_first_commit(self) -> list[Person]:
        """The people in the order of their first commits, then those who have none."""
        people, firsts = list(self._numbers), self._done.first_dates()
        return sorted(
            (people[number] for number in firsts), key=lambda one: (firsts[self._numbers[one]], one)
        ) + sorted(people[number] for number in self._done.people() - firsts.keys())

    def author_emails(self) -> set[str]:
        people = list(self._numbers)
        return {people[number][1] for number in self._done.authors()}

    def persons(self) -> Iterator[PersonTotals]:
        """Ordered by e-mail and name, as in the database's index."""
        for person in self.people():
            yield _totals(person, self._numbers[person], self._done)

    def segments(self, ordinals: Mapping[Person, int]) -> Iterator[Segment]:
        """The commits as a log, in segments of at most 262,144 commits.

        ordinals: the ordinal of each of :meth:`people`.
        """
        # Those whom the limit for a history leaves out have no ordinal.
        return self._done.segments([ordinals.get(person, -1) for person in self._numbers])

    @property
    def _done(self) -> SortedCommits:
        if self._sorted is None:
            sets, _ = self._mentions.fitting()
            self._sorted = SortedCommits(self._authors, self._dates, self._oids, self._mentions.of_commits, sets)
        return self._sorted


def _totals(person: Person, number: int, done: SortedCommits) -> PersonTotals:
    name, email = person
    commits, merges = done.by(number)
    naming = done.naming(number)
    groups = [each for each in (commits, merges, naming) if each]
    sample_sha, sample_at, sample_co_authors, other_sha = (
        _samples(groups, done) if groups else ("", None, NO_SAMPLE, None)
    )
    return PersonTotals(
        email,
        name,
        len(commits),
        len(merges),
        sample_sha,
        sample_at,
        sample_co_authors,
        other_sha,
        role_only=not groups,
        is_agent=bool(naming) and not email.strip(),
    )


def _samples(groups: list[Sequence[int]], done: SortedCommits) -> tuple[str, int, int, str | None]:
    if len(groups) == 1 and len(groups[0]) == 1:
        # Most people have one commit.
        [only] = groups[0]
        return done.sha(only), done.dates[only], done.named_people(only), None
    sample = done.sample(groups)
    other = done.oldest(groups)
    if other == sample:
        other = done.newest(groups)
    other_sha = done.sha(other) if other != sample else None
    return done.sha(sample), done.dates[sample], done.named_people(sample), other_sha
