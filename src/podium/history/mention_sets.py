"""Whom each commit of a history names, as numbers, within a limit for the whole history.

A limit that depended on the order of the commits would make the two ways of counting differ. So the longest lists are
cut first, to the greatest length with which all of them fit.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from typing import cast

from podium.history.person import Person
from podium.history.trailers.mentions import Mention

# Entries of a history: the first number for each commit, and the second in addition. An entry is a person that a
# commit names, or a person with a role.
ENTRIES_A_COMMIT = 4
MOST_MORE_ENTRIES = 100_000
# Entries of distinct lists, beyond the first of each, that are kept until all commits are known. Linux has a million.
_MOST_KEPT = 4_000_000

_MOST_REMEMBERED = 8_192

# Numbers of the people that a commit names, and members 8 * number + role, each in the order of the message.
MentionSet = tuple[tuple[int, ...], tuple[int, ...]]


class PeopleNumbers(dict[Person, int]):
    """People, numbered as they are first met."""

    def __missing__(self, person: Person) -> int:
        number = self[person] = len(self)
        return number


class MentionSets:
    """The lists of commits, numbered in the order in which they are added.

    Attributes:
        of_commits: for each commit the index of its list in :meth:`fitting`; 0 is the empty list.
    """

    def __init__(self) -> None:
        self.of_commits = array("I")
        self._known: dict[MentionSet, int] = {((), ()): 0}
        self._kept = 0
        self._of_roles: dict[tuple[Mention, ...], int] = {(): 0}
        self._cut_early: set[int] = set()

    def add(
        self, named: Sequence[tuple[Person, ...]], roles: Sequence[tuple[Mention, ...]], numbers: PeopleNumbers
    ) -> None:
        """Add commits: whom each names, in which roles."""
        first = len(self.of_commits)
        # Most commits name no co-author, and the same people in roles as an earlier one.
        found = list(map(self._of_roles.get, roles))
        for place, people in enumerate(named):
            if people:
                found[place] = None
        if None in found:
            for place, number in enumerate(found):
                if number is None:
                    found[place] = self._read(first + place, named[place], roles[place], numbers)
        self.of_commits.extend(cast("list[int]", found))

    def _read(self, commit: int, named: tuple[Person, ...], roles: tuple[Mention, ...], numbers: PeopleNumbers) -> int:
        members = tuple([numbers[person] << 3 | role for role, person in roles])
        number = self._number(commit, (tuple([numbers[person] for person in named]), members))
        if not named and len(roles) <= ENTRIES_A_COMMIT:
            if len(self._of_roles) >= _MOST_REMEMBERED:
                self._of_roles.clear()
            self._of_roles[roles] = number
        return number

    def _number(self, commit: int, found: MentionSet) -> int:
        number = self._known.get(found)
        if number is not None:
            return number
        more = max(_size(found) - ENTRIES_A_COMMIT, 0)
        if more and self._is_full:
            self._cut_early.add(commit)
            found = _first(found, ENTRIES_A_COMMIT)
        self._kept += more
        return self._known.setdefault(found, len(self._known))

    def fitting(self) -> tuple[list[MentionSet], set[int]]:
        """Return the lists that fit into the limit, and the commits of which some entries are left out."""
        found = list(self._known)
        longest = self._longest(found)
        if longest is None:
            return found, set()
        long = {number for number, each in enumerate(found) if _size(each) > longest}
        cut = {commit for commit, number in enumerate(self.of_commits) if number in long}
        return [_first(each, longest) for each in found], cut | self._cut_early

    def _longest(self, found: list[MentionSet]) -> int | None:
        """Return the length to which lists are cut; None: all of them fit."""
        if self._is_full:
            return ENTRIES_A_COMMIT
        sizes: Counter[int] = Counter()
        for number, commits in Counter(self.of_commits).items():
            sizes[_size(found[number])] += commits
        most = ENTRIES_A_COMMIT * len(self.of_commits) + MOST_MORE_ENTRIES
        longest = max(sizes, default=0)
        if sum(size * commits for size, commits in sizes.items()) <= most:
            return None
        while sum(min(size, longest) * commits for size, commits in sizes.items()) > most:
            longest -= 1
        return longest

    @property
    def _is_full(self) -> bool:
        return self._kept > _MOST_KEPT


def _size(found: MentionSet) -> int:
    return len(found[0]) + len(found[1])


def _first(found: MentionSet, entries: int) -> MentionSet:
    named, roles = found
    return named[:entries], roles[: max(entries - len(named), 0)]
