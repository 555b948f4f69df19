"""The commits of a history by author, merge and date: the order of the commit log."""

from __future__ import annotations

import itertools
import operator
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence

from podium.history.mention_sets import MentionSet
from podium.storage.commit_log.segment import LARGEST_SEGMENT, OID_BYTES, Segment


class SortedCommits:
    """Commits are numbered as they were read. Of two commits in one second the one with the smaller id comes first.

    Args:
        authors: for each commit 2 * the number of its author + is_merge.
        dates: for each commit, in seconds.
        oids: the ids of all commits, as bytes.
        set_of: for each commit the index in ``sets`` of whom it names.
    """

    def __init__(
        self,
        authors: Sequence[int],
        dates: Sequence[int],
        oids: bytearray,
        set_of: Sequence[int],
        sets: Sequence[MentionSet],
    ) -> None:
        self.dates = dates
        self._authors = authors
        self._oids = oids
        self._oid_size = len(oids) // max(len(dates), 1) or 1
        self._set_of = set_of
        self._sets = sets
        # Arrays: a list of numbers takes ten times the memory.
        self._by_author: defaultdict[int, array[int]] = defaultdict(_no_commits)
        self._naming: defaultdict[int, array[int]] = defaultdict(_no_commits)
        self._group()

    def _group(self) -> None:
        order, authors, by_author = self._in_order(), self._authors, self._by_author
        for commit in order:
            by_author[authors[commit]].append(commit)
        named = [people for people, _ in self._sets]
        if any(named):
            for commit in [commit for commit in order if named[self._set_of[commit]]]:
                for person in named[self._set_of[commit]]:
                    self._naming[person].append(commit)

    def _in_order(self) -> list[int]:
        # An array makes a number whenever it is asked.
        date_of = list(self.dates).__getitem__
        # git lists new commits first, so the reverse is nearly sorted.
        order = sorted(range(len(self.dates) - 1, -1, -1), key=date_of)
        dates = list(map(date_of, order))
        for date in set(itertools.compress(dates, map(operator.eq, dates, itertools.islice(dates, 1, None)))):
            tied = slice(bisect_left(dates, date), bisect_right(dates, date))
            order[tied] = sorted(order[tied], key=self._digest)
        return order

    def _digest(self, commit: int) -> bytearray:
        return self._oids[commit * self._oid_size : (commit + 1) * self._oid_size]

    def sha(self, commit: int) -> str:
        return self._digest(commit).hex()

    def named_people(self, commit: int) -> int:
        return len(self._sets[self._set_of[commit]][0])

    def by(self, person: int) -> tuple[Sequence[int], Sequence[int]]:
        """The ordinary commits of an author, and the merges."""
        return self._by_author.get(2 * person, ()), self._by_author.get(2 * person + 1, ())

    def naming(self, person: int) -> Sequence[int]:
        """The commits that name a person as co-author or agent."""
        return self._naming.get(person, ())

    def authors(self) -> set[int]:
        return {author >> 1 for author in self._by_author}

    def people(self) -> set[int]:
        """Everyone who is an author, or whom a commit names in any way."""
        with_roles = {member >> 3 for _, roles in self._sets for member in roles}
        return self.authors() | self._naming.keys() | with_roles

    def first_dates(self) -> dict[int, int]:
        """The date of each author's first commit, merges included."""
        firsts: dict[int, int] = {}
        for author, commits in self._by_author.items():
            person, first = author >> 1, self.dates[commits[0]]
            firsts[person] = min(first, firsts.get(person, first))
        return firsts

    def oldest(self, groups: Sequence[Sequence[int]]) -> int:
        return groups[0][0] if len(groups) == 1 else min((commits[0] for commits in groups), key=self._order)

    def newest(self, groups: Sequence[Sequence[int]]) -> int:
        return groups[0][-1] if len(groups) == 1 else max((commits[-1] for commits in groups), key=self._order)

    def sample(self, groups: Sequence[Sequence[int]]) -> int:
        """The newest of the commits that name the fewest people."""
        if len(groups) == 1:
            return self._sample(groups[0])
        return max(map(self._sample, groups), key=lambda commit: (-self.named_people(commit), self._order(commit)))

    def _sample(self, commits: Sequence[int]) -> int:
        for commit in reversed(commits):
            if not self.named_people(commit):
                return commit
        return min(reversed(commits), key=self.named_people)

    def _order(self, commit: int) -> tuple[int, bytearray]:
        return self.dates[commit], self._digest(commit)

    def segments(self, ordinals: Sequence[int]) -> Iterator[Segment]:
        """Segments in the order of :class:`Segment`, each of at most :data:`LARGEST_SEGMENT` commits.

        ordinals: the ordinal of each person.
        """
        beginnings = self._beginnings()
        authors: list[tuple[int, int]] = []
        commits: list[int] = []
        for key, author in sorted((2 * ordinals[author >> 1] + (author & 1), author) for author in self._by_author):
            mine, at = self._by_author[author], 0
            while at < len(mine):
                some = mine[at : at + LARGEST_SEGMENT - len(commits)]
                at += len(some)
                authors.append((key, len(some)))
                commits += some
                if len(commits) == LARGEST_SEGMENT:
                    yield self._segment(authors, commits, ordinals, beginnings)
                    authors, commits = [], []
        if commits:
            yield self._segment(authors, commits, ordinals, beginnings)

    def _beginnings(self) -> array[int]:
        """The first bytes of each id, as one number."""
        found = bytearray(len(self.dates) * OID_BYTES)
        for place in range(OID_BYTES):
            found[place::OID_BYTES] = self._oids[place :: self._oid_size]
        return array("Q", bytes(found))

    def _segment(
        self,
        authors: list[tuple[int, int]],
        commits: list[int],
        ordinals: Sequence[int],
        beginnings: array[int],
    ) -> Segment:
        numbers = [self._set_of[commit] for commit in commits]
        named, roles = _Sets(), _Sets()
        named_of: dict[int, int] = {}
        roles_of: dict[int, int] = {}
        for number in dict.fromkeys(numbers):
            people, members = self._sets[number]
            named_of[number] = named.number_of([ordinals[person] for person in people])
            roles_of[number] = roles.number_of([8 * ordinals[member >> 3] + (member & 7) for member in members])
        return Segment(
            authors=authors,
            dates=array("q", [self.dates[commit] for commit in commits]),
            named=array("I", map(named_of.__getitem__, numbers)),
            named_sets=list(named),
            roles=array("I", map(roles_of.__getitem__, numbers)),
            role_sets=list(roles),
            oids=array("Q", [beginnings[commit] for commit in commits]).tobytes(),
        )


def _no_commits() -> array[int]:
    return array("I")


class _Sets(dict[tuple[int, ...], int]):
    """Sets, numbered from 1 as they are first met."""

    def number_of(self, members: list[int]) -> int:
        return self.setdefault(tuple(sorted(members)), len(self) + 1) if members else 0
