"""Read many commits at once."""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from podium.history.commit import Facts, read_commit
from podium.history.person import LONGEST_TEXT, NO_PERSON, Person, split_person
from podium.history.trailers.mentions import NO_MENTIONS, Mentions
from podium.history.trailers.message_trailers import MAY_NAME, SCISSORS, SPACE
from podium.history.trailers.trailer_memo import TrailerMemo
from podium.history.walks.cat_file import LargeObject, corrupt

# A record, and a commit's header as git writes it (else the groups are empty). One call matches all records of a batch:
# a call for each would take most of the time.
_RECORD = (
    rb"%b (.{%d}) ([0-9]+)\n"
    rb"(?:tree .{%d}\n((?:parent .{%d}\n)*+)author ([^\n<]*+<[^\n>]*+>) ([0-9]{1,11}+) [+-][0-9]{4}\n"
    rb"committer [^\n]*+\n(?:gpgsig [^\n]*+\n(?: [^\n]*+\n)*+)?(\n))?"
)
# Commits with one of these need read_commit().
_UNUSUAL = (b"\0", b"\n" + SCISSORS)

# Smaller commits are within every limit, unless they are unusual.
_DIGITS_OF_USUAL_SIZE = 4
_LINE_BREAK = ord("\n")


class _People(dict[bytes, Person]):
    def __missing__(self, written: bytes) -> Person:
        person = split_person(written) or NO_PERSON
        # Longer texts are rare, and would stay in memory.
        if len(written) <= 2 * LONGEST_TEXT:
            self[written] = person
        return person


class CommitReader:
    """Reads batches of records (:mod:`podium.history.walks.cat_file`)."""

    def __init__(self, nonce: bytes, digits: int = 40) -> None:
        self._digits = digits
        self._frame = len(nonce) + digits + len(b"  \n\n")
        self._separator = nonce + b" "
        self._records = re.compile(_RECORD % (nonce, digits, digits, digits), re.DOTALL).findall
        self._people = _People()
        self._memo = TrailerMemo()

    def read(self, batch: bytes, large: Sequence[LargeObject] = ()) -> tuple[list[bytes], list[Facts]]:
        """Return the oids and the facts of a batch, and of large objects.

        Raises:
            HistoryError: 'corrupt', an object is missing or cut off.
        """
        records = self._records(batch)
        ends = list(itertools.accumulate([self._frame + len(record[1]) + int(record[1]) for record in records]))
        self._check(batch, ends)
        exact = {number for number, each in enumerate(records) if not each[5] or len(each[1]) > _DIGITS_OF_USUAL_SIZE}
        for text in _UNUSUAL:
            exact.update(_records_with(text, batch, ends))
        mentions = self._mentions(batch, records, ends, exact)
        people, one_parent = self._people, len(b"parent \n") + self._digits
        facts: list[Facts] = [
            (people[author], int(date or 0), len(parents) > one_parent, named, roles, parents, is_cut)
            for (_, _, parents, author, date, _), (named, roles, is_cut) in zip(records, mentions, strict=True)
        ]
        for number in exact:
            end = ends[number] - 1
            facts[number] = read_commit(batch[end - int(records[number][1]) : end])
        oids = [record[0] for record in records]
        for oid, kept in large:
            oids.append(oid)
            facts.append(read_commit(kept, is_cut=True))
        return oids, facts

    def _check(self, batch: bytes, ends: list[int]) -> None:
        if len(batch) != (ends[-1] if ends else 0) or len(ends) != batch.count(self._separator):
            raise corrupt()

    def _mentions(
        self, batch: bytes, records: list[tuple[bytes, ...]], ends: list[int], exact: set[int]
    ) -> list[Mentions]:
        """Read who is named in trailers; ``exact`` grows by the commits for which that needs read_commit()."""
        mentions = [NO_MENTIONS] * len(records)
        search, rfind, memo = MAY_NAME.search, batch.rfind, self._memo
        at, number = 0, -1
        while found := search(batch, at):
            number = bisect_right(ends, found.start(), number + 1)
            at = ends[number]
            if number in exact:
                continue
            begin, end = ends[number - 1] if number else 0, at - 2
            if batch[end] == _LINE_BREAK:
                end -= 1
                if batch[end] == _LINE_BREAK:
                    exact.add(number)
                    continue
            # The last empty line, which may be the header's.
            blank = rfind(b"\n\n", begin, end)
            if blank < 0:
                continue
            named = memo[batch[blank + 2 : end + 1]]
            if named is None:
                exact.add(number)
            elif named is not NO_MENTIONS:
                # The first paragraph has no trailers.
                before = rfind(b"\n\n", begin, blank + 1)
                if before < 0:
                    continue
                if batch[before + 2] in SPACE and not batch[before + 2 : blank].strip(SPACE):
                    exact.add(number)
                else:
                    mentions[number] = named.without(self._people[records[number][3]]) if named.named else named
        return mentions


def _records_with(text: bytes, batch: bytes, ends: list[int]) -> Iterator[int]:
    at = 0
    while (found := batch.find(text, at)) >= 0:
        number = bisect_right(ends, found)
        at = ends[number]
        yield number
