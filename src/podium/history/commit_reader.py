"""Read many commits at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from podium.history.cat_file import LargeObject, corrupt
from podium.history.commit import LONGEST_TEXT, NO_PERSON, Facts, Person, read_commit, split_person

# A record, and a commit's header as git writes it (else the groups are empty). One call matches all records of a batch:
# a call for each would take most of the time.
_RECORD = (
    rb"%b (.{%d}) ([0-9]+)\n"
    rb"(?:tree .{%d}\n((?:parent .{%d}\n)*+)author ([^\n<]*+<[^\n>]*+>) ([0-9]{1,11}+) [+-][0-9]{4}\n"
    rb"committer [^\n]*+\n(?:gpgsig [^\n]*+\n(?: [^\n]*+\n)*+)?(\n))?"
)
# A NUL, or a possible trailer, needs read_commit(). Spelled out, the pattern is twice as fast as with re.IGNORECASE.
_UNUSUAL = (
    re.compile(rb"\0"),
    re.compile(rb"\n[Cc][Oo]-[Aa][Uu][Tt][Hh][Oo][Rr][Ee][Dd]-[Bb][Yy]"),
)

# Smaller commits are within every limit, unless they are unusual.
_DIGITS_OF_USUAL_SIZE = 4


class _People(dict[bytes, Person]):
    def __missing__(self, written: bytes) -> Person:
        person = split_person(written) or NO_PERSON
        # Longer texts are rare, and would stay in memory.
        if len(written) <= 2 * LONGEST_TEXT:
            self[written] = person
        return person


class CommitReader:
    """Reads batches of records (:mod:`podium.history.cat_file`)."""

    def __init__(self, nonce: bytes, digits: int = 40) -> None:
        self._digits = digits
        self._separator = nonce + b" "
        self._records = re.compile(_RECORD % (nonce, digits, digits, digits), re.DOTALL).findall
        self._people = _People()

    def read(self, batch: bytes, large: Sequence[LargeObject] = ()) -> tuple[list[bytes], list[Facts]]:
        """Return the oids and the facts of a batch, and of large objects.

        Raises:
            HistoryError: 'corrupt', an object is missing or cut off.
        """
        records = self._records(batch)
        self._check_length(batch, [record[1] for record in records])
        people, one_parent = self._people, len(b"parent \n") + self._digits
        facts: list[Facts] = [
            (people[author], int(date or 0), False, len(parents) > one_parent, (), parents, False)
            for _, _, parents, author, date, _ in records
        ]
        oids = [record[0] for record in records]
        unusual = dict(self._unusual(batch))
        at = 0
        for number, (oid, size, _, _, _, is_usual) in enumerate(records):
            if not is_usual or len(size) > _DIGITS_OF_USUAL_SIZE or oid in unusual:
                raw = unusual.get(oid)
                if raw is None:
                    at, raw = self._content(batch, batch.index(self._separator + oid, at))
                facts[number] = read_commit(raw)
        for oid, kept in large:
            oids.append(oid)
            facts.append(read_commit(kept, is_cut=True))
        return oids, facts

    def _check_length(self, batch: bytes, sizes: list[bytes]) -> None:
        frame = len(self._separator) + self._digits + len(b" \n\n")
        length = len(sizes) * frame + sum(map(len, sizes)) + sum(map(int, sizes))
        if length != len(batch) or len(sizes) != batch.count(self._separator):
            raise corrupt()

    def _unusual(self, batch: bytes) -> Iterator[tuple[bytes, bytes]]:
        for pattern in _UNUSUAL:
            at = 0
            while found := pattern.search(batch, at):
                begin = batch.rfind(self._separator, at, found.start())
                oid_at = begin + len(self._separator)
                at, content = self._content(batch, begin)
                yield batch[oid_at : oid_at + self._digits], content

    def _content(self, batch: bytes, begin: int) -> tuple[int, bytes]:
        start = batch.index(b"\n", begin) + 1
        end = start + int(batch[begin:start].rpartition(b" ")[2])
        return end, batch[start:end]
