"""The counts of a repository in memory: its people, and their activity by week.

Rows are loaded into columns once per count, so that a board of tens of thousands of people answers each switch, window
and search at once.
"""

from __future__ import annotations

import bisect
import dataclasses
from array import array
from collections.abc import Callable, Iterator
from typing import Any

from podium.bots.tools import BUILT_IN, Bots
from podium.leaderboard.rules import Rules
from podium.repositories.store.queries import OF_VALID_COUNT
from podium.storage.session import Session
from podium.textutil.raw_bytes import readable
from podium.timeutil import week_number

COUNTS = ("commit_count", "merge_count", "co_authored_count", "co_authored_merge_count")
COMMITS, MERGES, CO_AUTHORED, CO_AUTHORED_MERGES = range(4)
# Co-authored merges share the dates of co-authored commits.
DATED = ("commit", "merge", "co_authored")

# Rows of one query, which bounds its memory.
_CHUNK = 10_000

_PEOPLE = f"""
SELECT id, email, name, mailmap_email, mailmap_name, mailmap_identity, mailmap_source, kind, {", ".join(COUNTS)},
    {", ".join(f"{end}_{what}_at" for what in DATED for end in ("first", "last"))}
FROM commit_data
WHERE {OF_VALID_COUNT} AND (email, name) > (:email, :name)
ORDER BY email, name
LIMIT :chunk"""
_FIRST_PEOPLE = _PEOPLE.replace("AND (email, name) > (:email, :name)", "")

_WEEKS = f"""
SELECT commit_data_id, week, {", ".join(COUNTS)}
FROM weekly_activity
WHERE repository_id = :repository AND (commit_data_id, week) > (:person, :week)
ORDER BY commit_data_id, week
LIMIT :chunk"""


@dataclasses.dataclass(frozen=True, slots=True)
class People:
    """One person for each (e-mail, name as written), each field a column; a person is an index.

    Attributes:
        ids: ``commit_data.id``.
        exact_emails: byte for byte (:mod:`podium.textutil.raw_bytes`), to compare; never shown.
        mailmap_sources: "own" (the user's), "repository", or "" if no mailmap names the person.
        kinds: "human", "bot" or "agent".
        counts: in the order of :data:`COUNTS`.
        first, last: dates in the order of :data:`DATED`, or None.
    """

    ids: list[int]
    exact_emails: list[str]
    emails: list[str]
    names: list[str]
    mailmap_emails: list[str]
    mailmap_names: list[str]
    identities: list[str]
    mailmap_sources: list[str]
    kinds: list[str]
    counts: tuple[list[int], ...]
    first: tuple[list[int | None], ...]
    last: tuple[list[int | None], ...]

    @property
    def size(self) -> int:
        text = sum(len(email) + len(name) for email, name in zip(self.emails, self.names, strict=True))
        return 400 * len(self.ids) + 2 * text


def load_people(session: Session, repository_id: int, check: Callable[[], None], bots: Bots = BUILT_IN) -> People:
    """Load the people; ``check`` is called between chunks, and may raise an error."""
    rows = []
    for chunk in _people(session, repository_id):
        check()
        rows += chunk
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(18)]
    ids, exact_emails, names, mailmap_emails, mailmap_names, identities, sources, kinds, *numbers = columns
    emails, names, mailmap_emails, mailmap_names = (
        [readable(text) for text in column] for column in (exact_emails, names, mailmap_emails, mailmap_names)
    )
    return People(
        ids,
        exact_emails,
        emails,
        names,
        # Usually equal: share the string.
        [a if a != b else b for a, b in zip(mailmap_emails, emails, strict=True)],
        [a if a != b else b for a, b in zip(mailmap_names, names, strict=True)],
        [a if a != b else b for a, b in zip(identities, exact_emails, strict=True)],
        sources,
        # The list may have changed since the count.
        [bots.kind_of(email, kind) for email, kind in zip(emails, kinds, strict=True)],
        counts=tuple(numbers[:4]),
        first=tuple(numbers[4::2]),
        last=tuple(numbers[5::2]),
    )


def _people(session: Session, repository_id: int) -> Iterator[list[tuple[Any, ...]]]:
    chunk = session.tuples(_FIRST_PEOPLE, id=repository_id, chunk=_CHUNK)
    while chunk:
        yield chunk
        if len(chunk) < _CHUNK:
            return
        _, email, name, *_ = chunk[-1]
        chunk = session.tuples(_PEOPLE, id=repository_id, email=email, name=name, chunk=_CHUNK)


@dataclasses.dataclass(frozen=True, slots=True)
class WeeklyActivity:
    """The activity of each person in each week, in the order of the weeks.

    Attributes:
        weeks: see :func:`podium.timeutil.week_number`.
        counts: in the order of :data:`COUNTS`.
        starts: the index of the first entry of each week.
        by_person: the indexes of the entries, person by person.
        person_starts: where each person begins in ``by_person``, plus the end.
    """

    people: array[int]
    weeks: array[int]
    counts: tuple[array[int], ...]
    starts: dict[int, int]
    by_person: array[int]
    person_starts: array[int]

    @property
    def size(self) -> int:
        return 28 * len(self.people) + 100 * len(self.starts) + 4 * len(self.person_starts)

    def span(self, rules: Rules) -> range:
        """The entries within the window of ``rules``."""
        return range(self._index(rules.since, 0), self._index(rules.until, len(self.people)))

    def _index(self, bound: int | None, otherwise: int) -> int:
        return otherwise if bound is None else bisect.bisect_left(self.weeks, week_number(bound))

    def of(self, person: int, span: range | None = None) -> array[int]:
        """The entries of one person, in the order of the weeks."""
        low, high = self.person_starts[person], self.person_starts[person + 1]
        if span is not None:
            low = bisect.bisect_left(self.by_person, span.start, low, high)
            high = bisect.bisect_left(self.by_person, span.stop, low, high)
        return self.by_person[low:high]


def load_activity(session: Session, repository_id: int, people: People, check: Callable[[], None]) -> WeeklyActivity:
    """Load the activity; ``check`` is called between chunks, and may raise an error."""
    person_of = {number: person for person, number in enumerate(people.ids)}
    entries = []
    for chunk in _weeks(session, repository_id, person_of):
        check()
        entries += chunk
    entries.sort(key=lambda entry: entry[1])
    columns: list[Any] = list(zip(*entries, strict=True)) or [()] * 6
    who, weeks = array("i", columns[0]), array("i", columns[1])
    starts: dict[int, int] = {}
    for index, week in enumerate(weeks):
        starts.setdefault(week, index)
    by_person, person_starts = _by_person(who, len(people.ids))
    return WeeklyActivity(
        who, weeks, tuple(array("i", column) for column in columns[2:]), starts, by_person, person_starts
    )


def _weeks(session: Session, repository_id: int, person_of: dict[int, int]) -> Iterator[list[tuple[int, ...]]]:
    person, week = -(2**62), 0
    while True:
        rows = session.tuples(_WEEKS, repository=repository_id, person=person, week=week, chunk=_CHUNK)
        yield [(person_of[row[0]], week_number(row[1]), *row[2:]) for row in rows if row[0] in person_of]
        if len(rows) < _CHUNK:
            return
        person, week = rows[-1][:2]


def _by_person(who: array[int], number: int) -> tuple[array[int], array[int]]:
    starts = array("i", bytes(4 * (number + 1)))
    for person in who:
        starts[person + 1] += 1
    for person in range(number):
        starts[person + 1] += starts[person]
    free, indexes = starts[:], array("i", bytes(4 * len(who)))
    for index, person in enumerate(who):
        indexes[free[person]] = index
        free[person] += 1
    return indexes, starts


def kinds_counted(rules: Rules) -> tuple[int, ...]:
    """The indexes into :data:`COUNTS` of what the rules count."""
    kinds = [COMMITS]
    kinds += [MERGES] if rules.merges else []
    kinds += [CO_AUTHORED] if rules.co_authors else []
    kinds += [CO_AUTHORED_MERGES] if rules.co_authors and rules.merges else []
    return tuple(kinds)
