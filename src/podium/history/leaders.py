"""The people with the most commits while a history is being read."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter


class Leaders:
    """The first few of people by commits, brought up to date with the commits added since the last time.

    Sums grow only, so the leaders are among the earlier ones and those who have new commits: nothing is sorted that
    grows with the number of people.

    Args:
        most: how many leaders there are.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        # By the person's number, without merges.
        self._commits = array("I")
        self._leaders: list[int] = []
        self._counted = 0

    def update(self, authors: array[int], people: int) -> list[tuple[int, int]]:
        """Return numbers and commits, most first.

        Args:
            authors: for each commit 2 * the author's number + is_merge; those of the last time come first.
            people: how many numbers there are.
        """
        added = Counter(authors[self._counted :])
        self._counted = len(authors)
        commits = self._commits
        commits.frombytes(bytes((people - len(commits)) * commits.itemsize))
        candidates = set(self._leaders)
        least = commits[self._leaders[-1]] if len(self._leaders) == self._most else 0
        for author, number_of_commits in added.items():
            if author & 1:
                continue
            number = author >> 1
            commits[number] += number_of_commits
            if commits[number] >= least:
                candidates.add(number)
        # Ties are in the order in which people were found, so that they do not change places.
        self._leaders = heapq.nsmallest(self._most, candidates, key=lambda number: (-commits[number], number))
        return [(number, commits[number]) for number in self._leaders]
