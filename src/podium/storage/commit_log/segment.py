"""A segment of the commit log in memory."""

from __future__ import annotations

import dataclasses
from array import array

LARGEST_SEGMENT = 1 << 18
# Rows that one commit names. Counting credits 100 co-authors; agents and roles have a limit of their own.
LARGEST_SET = 255
# Bytes of an object id that are kept.
OID_BYTES = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """Commits in the order of author, merges last, and author date. Columns that were not read are empty.

    Attributes:
        authors: pairs (2 * ordinal + is_merge, number of commits), in ascending order.
        dates: author dates in seconds since the epoch, one for each commit.
        named: the set of rows that each commit names as co-author or agent; 0 is none.
        named_sets: ordinals; set ``n`` is ``named_sets[n - 1]``.
        roles, role_sets: the same for the roles; a member is 8 * ordinal + role.
        oids: the first 8 bytes of each object id. Empty if they are unknown.
    """

    authors: list[tuple[int, int]]
    dates: array[int]
    named: array[int] = dataclasses.field(default_factory=lambda: array("I"))
    named_sets: list[tuple[int, ...]] = dataclasses.field(default_factory=list)
    roles: array[int] = dataclasses.field(default_factory=lambda: array("I"))
    role_sets: list[tuple[int, ...]] = dataclasses.field(default_factory=list)
    oids: bytes = b""

    @property
    def commits(self) -> int:
        return len(self.dates)
