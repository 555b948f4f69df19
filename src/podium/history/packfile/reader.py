"""Read the commits of a pack file from front to back, while git writes it.

An entry of a pack (gitformat-pack) is a type, a size and a zlib stream: an object, or a delta against an earlier one.
An unusual pack raises :class:`BadPack`, and git reads the repository instead.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from podium.history.packfile.delta import BadDelta, apply_delta, read_size

PACK_HEADER_SIZE = 12

_COMMIT, _TREE, _BLOB, _TAG = 1, 2, 3, 4
_OFS_DELTA, _REF_DELTA = 6, 7

# A buffer of this size stays in the processor's cache.
_BLOCK = 256 << 10
# Bytes of a commit, and deltas of a chain (git makes none longer).
_LARGEST_COMMIT = 4 << 20
_LONGEST_CHAIN = 4095
# A few bytes of a pack can describe much work, such as chains that are resolved again and again, or deltas of one-byte
# inserts. git resolves each object once, and faster. So git reads a pack that makes more than _FREE_WORK bytes and
# _WORK_PER_BYTE of the pack (real ones: 2). A byte of a delta takes as long as _WORK_OF_DELTA bytes that are copied.
_FREE_WORK = 64 << 20
_WORK_PER_BYTE = 100
_WORK_OF_DELTA = 32
# :meth:`PackReader.commits` returns after this many bytes.
_MOST_AT_ONCE = 8 << 20
_CACHED_BASES = 8 << 20
# Most entries are shorter.
_USUAL_ENTRY = 1024
_STREAM_OVERHEAD = 32

# read(offset, most) returns fewer bytes only at the end of what has arrived.
Read = Callable[[int, int], bytes]


class BadPack(ValueError):
    pass


class _Unfinished(Exception):
    """The pack ends within an entry so far."""


def number_of_entries(header: bytes) -> int:
    """Return the number in a pack's header.

    Raises:
        BadPack: it is not the header of a known version.
    """
    if len(header) != PACK_HEADER_SIZE or header[:8] not in (b"PACK\0\0\0\2", b"PACK\0\0\0\3"):
        raise BadPack("it is not a pack of a known version")
    return int.from_bytes(header[8:])


class PackReader:
    """``entries`` counts those of any type."""

    def __init__(self, read: Read) -> None:
        self.entries = 0
        self._read = read
        self._bases: dict[int, bytes] = {}
        self._cached = 0
        self._work = 0
        self._most_work = _FREE_WORK

    def commits(self, offset: int, end: int) -> tuple[list[bytes], int]:
        """Read commits from ``offset`` on; return them and the offset of the next entry.

        An entry that is incomplete at ``end`` is left.

        Raises:
            BadPack: the entries cannot be read.
        """
        block = self._read(offset, min(_BLOCK, end - offset))
        found: list[bytes] = []
        entries = here = made = 0
        size_of_block = len(block)
        # Nearly every entry is a whole commit of less than 2 KiB with a header of two bytes: a fast path without calls.
        while here + 2 < size_of_block:
            first, second = block[here], block[here + 1]
            if first & 0xF0 == 0x90 and second < 0x80:
                size = first & 0x0F | second << 4
                stream = block[here + 2 : here + 2 + size + _STREAM_OVERHEAD]
                inflating = zlib.decompressobj()
                try:
                    content = inflating.decompress(stream)
                except zlib.error as error:
                    raise BadPack(str(error)) from error
                if inflating.eof and len(content) == size:
                    found.append(content)
                    entries += 1
                    here += 2 + len(stream) - len(inflating.unused_data)
                    continue
            try:
                commit, next_offset = self._entry(offset + here, end, block[here : here + _USUAL_ENTRY])
            except _Unfinished:
                break
            entries += 1
            here = next_offset - offset
            if commit is not None:
                found.append(commit)
                made += len(commit)
                if made > _MOST_AT_ONCE:
                    break
        self.entries += entries
        return found, offset + here

    def _entry(self, offset: int, end: int, data: bytes) -> tuple[bytes | None, int]:
        self._most_work = _FREE_WORK + _WORK_PER_BYTE * offset
        object_type, size, base_offset, start = self._header(offset, data)
        base = None if base_offset is None else self._object(base_offset)
        is_commit = object_type == _COMMIT if base_offset is None else base is not None
        content, next_offset = self._inflate(start, size, end, keep=is_commit, data=data[start - offset :])
        if not is_commit:
            return None, next_offset
        return content if base is None else self._applied(base, content), next_offset

    def _header(self, offset: int, data: bytes) -> tuple[int, int, int | None, int]:
        """Return type, size, offset of the delta's base, offset of the stream."""
        try:
            first = data[0]
            object_type, size, start = first >> 4 & 7, first & 0x0F, 1
            if first & 0x80:
                more, start = read_size(data, 1)
                size |= more << 4
            base = None
            if object_type == _OFS_DELTA:
                distance, start = _read_distance(data, start)
                base = offset - distance
        except IndexError:
            raise _Unfinished from None
        except BadDelta as error:
            raise BadPack(str(error)) from error
        if object_type == _REF_DELTA:
            # Only the index, not yet written, could find the base. git requests no such deltas.
            raise BadPack("a delta names its base by oid")
        if object_type not in (_COMMIT, _TREE, _BLOB, _TAG, _OFS_DELTA):
            raise BadPack("an entry has an unknown type")
        if base is not None and base < PACK_HEADER_SIZE:
            raise BadPack("the base of a delta is outside of the pack")
        return object_type, size, base, offset + start

    def _object(self, offset: int) -> bytes | None:
        """None for another type of object."""
        deltas: list[tuple[int, int, int]] = []
        while (content := self._bases.get(offset)) is None:
            data = self._read(offset, _USUAL_ENTRY)
            object_type, size, base, start = self._header(offset, data)
            if base is None:
                if object_type != _COMMIT:
                    return None
                content, _ = self._inflate(start, size, None, keep=True, data=data[start - offset :])
                self._cache(offset, content)
                break
            deltas.append((offset, start, size))
            if len(deltas) > _LONGEST_CHAIN:
                raise BadPack("a chain of deltas is too long")
            offset = base
        for delta_offset, start, size in reversed(deltas):
            delta, _ = self._inflate(start, size, None, keep=True)
            content = self._applied(content, delta)
            self._cache(delta_offset, content)
        return content

    def _applied(self, base: bytes, delta: bytes) -> bytes:
        try:
            content = apply_delta(base, delta, _LARGEST_COMMIT)
        except BadDelta as error:
            raise BadPack(str(error)) from error
        self._spend(len(content) + _WORK_OF_DELTA * len(delta))
        return content

    def _spend(self, work: int) -> None:
        self._work += work
        if self._work > self._most_work:
            raise BadPack("its objects take too much work")

    def _cache(self, offset: int, base: bytes) -> None:
        self._cached += len(base)
        if self._cached > _CACHED_BASES:
            self._bases.clear()
            self._cached = len(base)
        self._bases[offset] = base

    def _inflate(self, offset: int, size: int, end: int | None, *, keep: bool, data: bytes = b"") -> tuple[bytes, int]:
        """``data`` is the beginning of the stream. The content is b"" unless ``keep``."""
        if keep and size > _LARGEST_COMMIT:
            raise BadPack("a commit is too large")
        pieces: list[bytes] = []
        made = 0
        inflating = zlib.decompressobj()
        if end is not None:
            data = data[: max(end - offset, 0)]
        offset += len(data)
        try:
            while True:
                piece = inflating.decompress(data, min(_BLOCK, size - made) + 1)
                made += len(piece)
                self._spend(len(piece))
                if made > size:
                    raise BadPack("an object is larger than it says")
                if keep:
                    pieces.append(piece)
                if inflating.eof:
                    break
                data = inflating.unconsumed_tail
                if not piece and not data:
                    data = self._more(offset, size, end)
                    offset += len(data)
        except zlib.error as error:
            raise BadPack(str(error)) from error
        if made != size:
            raise BadPack("an object is smaller than it says")
        return b"".join(pieces), offset - len(inflating.unused_data)

    def _more(self, offset: int, size: int, end: int | None) -> bytes:
        most = min(_BLOCK, size + _STREAM_OVERHEAD)
        most = most if end is None else min(most, end - offset)
        data = self._read(offset, most) if most > 0 else b""
        if not data:
            raise _Unfinished
        return data


def _read_distance(data: bytes, at: int) -> tuple[int, int]:
    """Return the next position, too.

    Raises:
        IndexError: ``data`` ends within the number.
    """
    byte = data[at]
    distance = byte & 0x7F
    while byte & 0x80:
        at += 1
        byte = data[at]
        distance = (distance + 1) << 7 | byte & 0x7F
    if not distance:
        raise BadPack("a delta is its own base")
    return distance, at + 1
