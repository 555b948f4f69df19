"""Boards of commits in memory, without a database: for many random histories in little time."""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Callable, Sequence
from typing import Any

from podium.bots.tools import Kind
from podium.leaderboard.board_data import BoardData, Part, Ranked, keep_on
from podium.leaderboard.counts.commit_log import read_log, read_roles
from podium.leaderboard.joining.grouping import Groups
from podium.leaderboard.joining.known_accounts import Accounts
from podium.leaderboard.rows.people import People
from podium.leaderboard.rules import Rules
from podium.repositories.model import State
from tests.support.commit_logs import Commit, segment_of
from tests.support.rows import some_repository


@dataclasses.dataclass(frozen=True, slots=True)
class MemoryBoard:
    """A repository of people 0 to n - 1.

    Attributes:
        of: the group of each person.
        kinds: the kind of each group.
        segments: the commits, as several counts saved them.
        committed_at: when the head was committed; None: unknown.
    """

    of: Sequence[int]
    kinds: Sequence[Kind]
    segments: Sequence[Sequence[Commit]]
    counted_at: int
    committed_at: int | None = None

    @property
    def commits(self) -> list[Commit]:
        return [commit for segment in self.segments for commit in segment]

    def under(self, rules: Rules) -> Ranked:
        return self.data().under(dataclasses.replace(rules, identities=False))

    def data(self) -> BoardData:
        commits = self.commits
        repository = some_repository(
            id=1,
            state=State.COMPLETED,
            host="github.com",
            owner="o",
            name="r",
            head="a" * 40,
            total_commits=len(commits),
            commits_processed_at=self.counted_at + 0.5,
            head_committed_at=self.committed_at,
        )
        people = people_of(self)
        segments = [segment_of(segment) for segment in self.segments]
        given: dict[object, Any] = {
            "people": people,
            "accounts": Accounts({}, {}),
            "groups": self._groups(),
            "log": read_log(segments, people, repository, keep_on),
            "roles": read_roles(segments, people, keep_on),
        }

        def keep(key: tuple[object, ...], make: Callable[[], Part], *, usual: bool) -> Part:
            found: Part = given[key[0]] if key[0] in given else make()
            return found

        session: Any = None
        return BoardData(session, repository, "https://github.com", keep)

    def _groups(self) -> Groups:
        """Groups as the mailmap forms them: none is joined by name."""
        members: list[list[int]] = [[] for _ in self.kinds]
        for person, group in enumerate(self.of):
            members[group].append(person)
        identities = [f"p{those[0]}@x" for those in members]
        of, groups = array("i", self.of), array("i", range(len(members)))
        none = array("i", bytes(4 * len(members)))
        owners: list[int | None] = [None] * len(members)
        return Groups(of, members, owners, identities, list(self.kinds), of, groups, none, bytearray(len(of)), {}, {})


def people_of(board: MemoryBoard) -> People:
    """The people of a board, with the counts of its commits."""
    persons = range(len(board.of))
    emails = [f"p{person}@x" for person in persons]
    names = [f"P{person}" for person in persons]
    commits = board.commits
    counts = tuple(
        [sum(c.author == person and c.is_merge is is_merge for c in commits) for person in persons]
        for is_merge in (False, True)
    )
    did = {person for commit in commits for person in (commit.author, *commit.named)}
    kinds = [board.kinds[group] for group in board.of]
    only = [person not in did for person in persons]
    numbers = list(persons)
    sources = [""] * len(numbers)
    return People(numbers, numbers, emails, emails, names, emails, names, emails, sources, kinds, only, counts, counts)
