"""Commits that Podium reads by itself, without asking git what they are called. Pure."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from podium.history.commits import LARGEST_COMMIT, CommitReader, parent_names
from podium.history.tally import Tally


class Seen(NamedTuple):
    """The names of some commits, and of all of their parents: what a proof (:mod:`podium.history.proof`) wants."""

    names: list[bytes]
    parents: list[bytes]


class Reading:
    """Counts the commits that it is given.

    Args:
        digits: of an object's name: 40, or 64 with SHA-256.

    Attributes:
        tally: their totals.
    """

    def __init__(self, digits: int) -> None:
        self.tally = Tally()
        self._hash = hashlib.sha256 if digits == 64 else hashlib.sha1
        self._reader = CommitReader(digits)

    @property
    def bogus(self) -> int:
        """How many of the objects git itself takes for no commits."""
        return self._reader.bogus

    def add(self, raws: list[bytes]) -> Seen:
        """Count commit objects (without git's object header), each of which must be given once."""
        digest = self._hash
        names = [digest(b"commit %d\0%b" % (len(raw), raw)).hexdigest().encode() for raw in raws]
        if max(map(len, raws), default=0) > LARGEST_COMMIT:
            raws = [raw[:LARGEST_COMMIT] for raw in raws]
        facts = self._reader.read_all(raws)
        self.tally.add(names, facts)
        return Seen(names, parent_names(facts))
