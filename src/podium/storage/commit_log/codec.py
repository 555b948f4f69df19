"""Columns of a segment as bytes.

A column has a header (version, column, commits, length of the content, CRC of what follows) and its content:
little-endian integers, first the lowest byte of each, then the next one, and so on, deflated. Zlib finds far more to
save in this order. Dates are differences modulo 2**64. Object ids are random, and kept as they are.

Every number of the header is checked before memory is taken for the content, which is bounded by the number of commits.
"""

from __future__ import annotations

import itertools
import operator
import struct
import sys
import zlib
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from podium.errors import BadCommitLog
from podium.storage.commit_log.segment import LARGEST_SEGMENT, LARGEST_SET, OID_BYTES, Segment

VERSION = 1
COLUMNS = ("authors", "dates", "named", "named_sets", "roles", "role_sets", "oids")

_HEADER = struct.Struct("<BBIII")
HEADER_BYTES = _HEADER.size
# Higher levels save little and take several times as long.
_LEVEL = 1
_RAW_DEFLATE = -15
# The largest content of each column, in bytes for each commit.
_LARGEST = {
    "authors": 8,
    "dates": 8,
    "named": 4,
    "named_sets": 4 * (1 + LARGEST_SET),
    "roles": 4,
    "role_sets": 4 * (1 + LARGEST_SET),
    "oids": OID_BYTES,
}
_INT64 = 1 << 63


def encode(segment: Segment) -> dict[str, bytes]:
    """Return the columns of a complete segment.

    Raises:
        BadCommitLog: its parts do not fit each other, or exceed a limit.
    """
    commits = segment.commits
    _check(segment, COLUMNS)
    contents = {
        "authors": _planes(_unsigned(_differences([key for key, _ in segment.authors])))
        + _planes(_unsigned([number for _, number in segment.authors])),
        "dates": _planes(_date_differences(segment.dates)),
        "named": _planes(segment.named),
        "named_sets": _planes(_flat(segment.named_sets)),
        "roles": _planes(segment.roles),
        "role_sets": _planes(_flat(segment.role_sets)),
        "oids": segment.oids,
    }
    return {column: _packed(column, content, commits) for column, content in contents.items()}


def decode(columns: Mapping[str, bytes], commits: int) -> Segment:
    """Return a segment of that many commits; ``columns`` has at least its authors and dates.

    Raises:
        BadCommitLog: the bytes are damaged, or of another version.
    """
    if not 0 <= commits <= LARGEST_SEGMENT:
        raise BadCommitLog(f"A segment of the commit log has {commits} commits.")
    contents = {column: _unpacked(column, packed, commits) for column, packed in columns.items()}
    segment = Segment(
        authors=_authors(contents["authors"]),
        dates=_dates(_numbers("q", contents["dates"])),
        named=_numbers("I", contents.get("named", b"")),
        named_sets=_sets(_numbers("I", contents.get("named_sets", b""))),
        roles=_numbers("I", contents.get("roles", b"")),
        role_sets=_sets(_numbers("I", contents.get("role_sets", b""))),
        oids=contents.get("oids", b""),
    )
    if segment.commits != commits:
        raise BadCommitLog("A segment of the commit log does not have the number of commits that it says.")
    _check(segment, columns)
    return segment


def _check(segment: Segment, columns: Mapping[str, bytes] | Sequence[str]) -> None:
    commits = segment.commits
    keys = [key for key, _ in segment.authors]
    numbers = [number for _, number in segment.authors]
    is_sound = (
        commits <= LARGEST_SEGMENT
        and sum(numbers) == commits
        and all(number > 0 for number in numbers)
        and all(map(operator.lt, keys, keys[1:]))
        and ("named" not in columns or _fit(segment.named, segment.named_sets, commits))
        and ("roles" not in columns or _fit(segment.roles, segment.role_sets, commits))
        and len(segment.oids) in (0, OID_BYTES * commits)
    )
    if not is_sound:
        raise BadCommitLog("The parts of a segment of the commit log do not fit each other.")


def _fit(ids: array[int], sets: Sequence[tuple[int, ...]], commits: int) -> bool:
    if not sets:
        # The usual case, and much faster than max().
        return ids.tobytes() == bytes(ids.itemsize * commits)
    return (
        len(ids) == commits
        and len(sets) <= commits
        and max(ids) <= len(sets)
        and all(0 < len(members) <= LARGEST_SET for members in sets)
    )


# --- a column


def content_bytes(header: bytes) -> int:
    """The length of a column's content, as the first :data:`HEADER_BYTES` of the column say; 0 if they are damaged."""
    return int(_HEADER.unpack(header)[3]) if len(header) == _HEADER.size else 0


def _packed(column: str, content: bytes, commits: int) -> bytes:
    body = content if column == "oids" else zlib.compress(content, _LEVEL, _RAW_DEFLATE)
    return _HEADER.pack(VERSION, COLUMNS.index(column), commits, len(content), zlib.crc32(body)) + body


def _unpacked(column: str, packed: bytes, commits: int) -> bytes:
    if len(packed) < _HEADER.size:
        raise _damaged(column)
    version, number, of_commits, length, crc = _HEADER.unpack_from(packed)
    if version != VERSION:
        raise BadCommitLog(f"The commit log has version {version}, which this Podium cannot read: update Podium.")
    if (number, of_commits) != (COLUMNS.index(column), commits) or length > _LARGEST[column] * commits:
        raise _damaged(column)
    body = memoryview(packed)[_HEADER.size :]
    if zlib.crc32(body) != crc:
        raise _damaged(column)
    content = bytes(body) if column == "oids" else _inflated(body, length, column)
    if len(content) != length:
        raise _damaged(column)
    return content


def _inflated(body: memoryview, length: int, column: str) -> bytes:
    inflate = zlib.decompressobj(_RAW_DEFLATE)
    try:
        # One byte more than there may be: a limit of 0 would be none.
        content = inflate.decompress(body, length + 1)
    except zlib.error as error:
        raise _damaged(column) from error
    if not inflate.eof or inflate.unused_data:
        raise _damaged(column)
    return content


def _damaged(column: str) -> BadCommitLog:
    return BadCommitLog(f"The commit log is damaged: its column {column} cannot be read.")


# --- its numbers


def _planes(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    content, size = numbers.tobytes(), numbers.itemsize
    return b"".join(content[place::size] for place in range(size))


def _numbers(typecode: str, planes: bytes) -> array[int]:
    numbers: array[int] = array(typecode)
    size = numbers.itemsize
    length, rest = divmod(len(planes), size)
    if rest:
        raise BadCommitLog("The commit log is damaged: a column ends within a number.")
    content = bytearray(len(planes))
    for place in range(size):
        content[place::size] = planes[place * length : (place + 1) * length]
    numbers.frombytes(content)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _unsigned(numbers: Sequence[int]) -> array[int]:
    try:
        return array("I", numbers)
    except OverflowError as error:
        raise BadCommitLog("A number of the commit log is too large to be saved.") from error


def _differences(numbers: Sequence[int]) -> list[int]:
    return list(map(operator.sub, numbers, itertools.chain((0,), numbers)))


def _date_differences(dates: array[int]) -> array[int]:
    differences = _differences(dates)
    try:
        return array("q", differences)
    except OverflowError:
        return array("q", map(_wrapped, differences))


def _dates(differences: array[int]) -> array[int]:
    try:
        return array("q", itertools.accumulate(differences))
    except OverflowError:
        # The differences are modulo 2**64, so the sums are too.
        return array("q", map(_wrapped, itertools.accumulate(differences)))


def _wrapped(number: int) -> int:
    return (number + _INT64) % (2 * _INT64) - _INT64


def _authors(content: bytes) -> list[tuple[int, int]]:
    half = len(content) // 2
    keys, numbers = _numbers("I", content[:half]), _numbers("I", content[half:])
    if len(keys) != len(numbers):
        raise _damaged("authors")
    return list(zip(itertools.accumulate(keys), numbers, strict=True))


def _flat(sets: Sequence[tuple[int, ...]]) -> array[int]:
    return _unsigned([number for members in sets for number in (len(members), *members)])


def _sets(flat: array[int]) -> list[tuple[int, ...]]:
    sets: list[tuple[int, ...]] = []
    place = 0
    while place < len(flat):
        end = place + 1 + flat[place]
        members: Any = flat[place + 1 : end]
        sets.append(tuple(members))
        place = end
    if place != len(flat):
        raise BadCommitLog("The commit log is damaged: a set ends too early.")
    return sets
