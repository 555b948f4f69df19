"""Commits that Podium reads by itself, without asking git what they are called. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable
from typing import NamedTuple

from podium.history.commit import LARGEST_COMMIT, CommitReader, Facts
from podium.history.reach import Place
from podium.history.totals import Tally

# Commits of at least so many bytes are too rare for a hash to be begun once for all of a size.
_OFTEN = 4096


class Seen(NamedTuple):
    """The names of some commits, and of each the lines of its header that name its parents."""

    names: list[bytes]
    parents: list[bytes]


class Reading:
    """Counts the commits that it is given.

    Args:
        digits: of an object's name: 40, or 64 with SHA-256.
        waits: count nothing before :meth:`settle` says what is not to be counted.

    Attributes:
        tally: their totals.
    """

    def __init__(self, digits: int, *, waits: bool = False) -> None:
        self.tally = Tally()
        self._waiting: list[tuple[list[bytes], list[Facts]]] = []
        self._waits = waits
        self._hash = hashlib.sha256 if digits == 64 else hashlib.sha1
        self._begun: dict[int, hashlib._Hash] = {}
        self._reader = CommitReader(digits)

    @property
    def bogus(self) -> int:
        """How many of the objects git itself takes for no commits."""
        return self._reader.bogus

    def add(self, raws: list[bytes]) -> Seen:
        """Count a part: commit objects (without git's object header), each of which must be given once."""
        names = self._names(raws)
        if max(map(len, raws), default=0) > LARGEST_COMMIT:
            raws = [raw[:LARGEST_COMMIT] for raw in raws]
        facts = self._reader.read_all(raws)
        if self._waits:
            self._waiting.append((names, facts))
        else:
            self.tally.add(names, facts)
        return Seen(names, [each[5] for each in facts])

    def _names(self, raws: list[bytes]) -> list[bytes]:
        """What git calls these commits: the hash of what they are, their size and their content."""
        begun = self._begun
        names = []
        for raw in raws:
            size = len(raw)
            if size in begun:
                # Many are of one size: going on from there takes three quarters of the time.
                hashing = begun[size].copy()
            else:
                hashing = self._hash(b"commit %d\0" % size)
                if size < _OFTEN:
                    begun[size] = hashing.copy()
            hashing.update(raw)
            names.append(hashing.hexdigest().encode())
        return names

    def settle(self, beyond: Container[bytes], again: Iterable[Place]) -> None:
        """Count what waits: all but the commits named ``beyond``, and those in places where they stand ``again``."""
        left_out = set(again)
        for part, (names, facts) in enumerate(self._waiting):
            chosen = [place for place, name in enumerate(names) if name not in beyond and (part, place) not in left_out]
            self.tally.add([names[place] for place in chosen], [facts[place] for place in chosen])
        self._waiting.clear()
