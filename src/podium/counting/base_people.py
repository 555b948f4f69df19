"""The people of the commits that a range ``A..B`` leaves out: those that A reaches.

Their commits are not counted. They are rows all the same, so that their mailmap identities, accounts and names show who
is new in the range.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from podium.history.totals import PersonTotals, Tally


class InBase(NamedTuple):
    """A person in the commits that A reaches: commits without merges, merges, and whether others name the person."""

    commits: int
    merges: int
    is_named: bool


NOT_IN_BASE = InBase(0, 0, False)


def with_base_people(tally: Tally, base: Tally | None) -> Iterator[tuple[PersonTotals, InBase]]:
    """The people of ``tally`` in order, then those of ``base`` only; roles in ``base`` are left out."""
    earlier = {}
    if base is not None:
        earlier = {(person.name, person.email): person for person in base.persons() if not person.role_only}
    for person in tally.persons():
        before = earlier.pop((person.name, person.email), None)
        if before is None:
            yield person, NOT_IN_BASE
        else:
            # A reviewer in the range has an author's commit for the look-up.
            yield _without_commits(before) if person.role_only else person, _in_base(before)
    for before in earlier.values():
        yield _without_commits(before), _in_base(before)


def _in_base(person: PersonTotals) -> InBase:
    # Everyone else who is not only in roles is named by the commits of others.
    return InBase(person.commits, person.merges, is_named=person.commits + person.merges == 0)


def _without_commits(person: PersonTotals) -> PersonTotals:
    return person._replace(commits=0, merges=0)
