"""Merge the small segments of refreshes, each of which costs a reader time and compresses badly."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from podium.storage.commit_log.segment import LARGEST_SEGMENT, OID_BYTES, Segment
from podium.storage.commit_log.segments import Link

MOST_SMALL = 64
# Refreshes may add this part of the first count before all of a small log is merged.
_PART = 8


def mergeable(chain: Sequence[Link]) -> Sequence[Link]:
    """Return the last segments of a log if it is time to merge them into one, else nothing."""
    if any(link.is_coarse for link in chain):
        return ()
    total = sum(link.commits for link in chain)
    added = sum(link.commits for link in chain if link.base_oid)
    if total <= LARGEST_SEGMENT and added * _PART > total - added:
        return chain
    # The segments of the first count are sorted already, and all of it begins at the same base.
    room, first = LARGEST_SEGMENT, len(chain)
    while first > 0 and chain[first - 1].base_oid and chain[first - 1].commits <= room:
        first -= 1
        room -= chain[first].commits
    return chain[first:] if len(chain) - first >= MOST_SMALL else ()


def merged(parts: Sequence[Segment]) -> Segment:
    """Merge complete segments into one."""
    runs: dict[int, list[tuple[Segment, int, int]]] = {}
    for part in parts:
        start = 0
        for key, commits in part.authors:
            runs.setdefault(key, []).append((part, start, start + commits))
            start += commits
    named, roles = _Sets(part.named_sets for part in parts), _Sets(part.role_sets for part in parts)
    places = {id(part): place for place, part in enumerate(parts)}
    dates, oids = array("q"), bytearray()
    authors = []
    for key in sorted(runs):
        authors.append((key, sum(end - start for _, start, end in runs[key])))
        order = sorted(
            (part.dates[index], places[id(part)], index)
            for part, start, end in runs[key]
            for index in range(start, end)
        )
        for date, place, index in order:
            part = parts[place]
            dates.append(date)
            named.add(place, part.named[index])
            roles.add(place, part.roles[index])
            oids += part.oids[OID_BYTES * index : OID_BYTES * (index + 1)]
    return Segment(authors, dates, named.ids, named.sets, roles.ids, roles.sets, bytes(oids))


class _Sets:
    """Sets of several segments, each stored once."""

    def __init__(self, of_parts: Iterable[list[tuple[int, ...]]]) -> None:
        numbers: dict[tuple[int, ...], int] = {}
        self._ids = [[0, *(numbers.setdefault(members, len(numbers) + 1) for members in sets)] for sets in of_parts]
        self.sets = list(numbers)
        self.ids = array("I")

    def add(self, part: int, number: int) -> None:
        self.ids.append(self._ids[part][number])
