"""Commits out of a pack file, read from front to back as git wrote it. Pure: bytes come from a function.

A pack (gitformat-pack) is a header, its entries one behind the other, and a checksum. An entry is a kind, a size and a
zlib stream: a whole object, or a delta against an object that stands earlier in the pack or is named. What an object is
called stands nowhere in it. A pack is trusted with nothing: whatever is odd in it or out of bounds is a
:class:`BadPack`, and is then for git to read.
"""

from __future__ import annotations

from collections.abc import Callable

from podium.history.inflate import InflateError, inflater
from podium.history.packfile.delta import BadDelta, apply_delta, read_size

HEADER = 12

# The kinds of entries: whole objects, and two ways to say what a delta is against.
COMMIT, TREE, BLOB, TAG = 1, 2, 3, 4
_OFS_DELTA, _REF_DELTA = 6, 7
_KINDS = (COMMIT, TREE, BLOB, TAG, _OFS_DELTA, _REF_DELTA)

# Bytes of a pack that are read at once: what their commits need stays in the processor's cache.
_BLOCK = 256 << 10
# The largest commit that is taken whole into memory, the longest chain of deltas (git itself makes none longer), and
# what all objects of a chain may hold together.
LARGEST = 16 << 20
_LONGEST_CHAIN = 4095
_LARGEST_CHAIN = 256 << 20
# Bytes of commits after which a caller has its turn, however few entries they came from.
_ENOUGH = 8 << 20
# Bases of deltas that are kept.
_MOST_KEPT = 8 << 20
# An entry's kind and size, and the offset or name of its base.
_LONGEST_HEAD = 64
# What is read of an entry at first: most are shorter.
_OFTEN_ENOUGH = 1024
# A stream may be longer than what it holds by its own head and checksum.
_SLACK = 32

# read(offset, most) gives the bytes of the pack there; fewer only where no more are there yet.
Read = Callable[[int, int], bytes]
# Where in the pack the object of a binary name begins.
Find = Callable[[bytes], int]


class BadPack(ValueError):
    """A pack that is damaged, odd, or larger in something than is read here."""


class _Unfinished(Exception):
    """The pack ends, so far, in the middle of an entry."""


def kind_of(first: int) -> int:
    """The kind of the entry that begins with the byte ``first``."""
    return first >> 4 & 7


def number_of_entries(header: bytes) -> int:
    """How many entries follow the first twelve bytes of a pack.

    Raises:
        BadPack: it is none, or of a version unknown.
    """
    if len(header) != HEADER or header[:8] not in (b"PACK\0\0\0\2", b"PACK\0\0\0\3"):
        raise BadPack("no pack of a known version")
    return int.from_bytes(header[8:])


class Pack:
    """Reads the commits of one pack.

    Args:
        read: the pack's bytes.
        digest_size: bytes of an object's name: 20, or 32 with SHA-256.
        find: finds the base of a delta that names it; None: such a delta is a BadPack.

    Attributes:
        entries: how many entries were read, whatever they are.
    """

    def __init__(self, read: Read, digest_size: int, find: Find | None = None) -> None:
        self.entries = 0
        self._read = read
        self._digest_size = digest_size
        self._find = find
        self._bases: dict[int, bytes] = {}
        self._kept = 0

    def commits(self, at: int, end: int) -> tuple[list[bytes], int]:
        """Some commits from the entry at ``at`` on, and where the next entry begins.

        Entries that are not whole before ``end`` are left; none at all was whole where that offset is ``at`` again.

        Raises:
            BadPack: what stands there cannot be read.
        """
        block = self._read(at, min(_BLOCK, end - at))
        found: list[bytes] = []
        entries = here = made = 0
        size_of_block = len(block)
        # Nearly every entry is a whole commit of less than 2 KiB: two bytes of head, then its stream. Calls cost the
        # most here, so they are read without any.
        while here + 2 < size_of_block:
            first, second = block[here], block[here + 1]
            if first & 0xF0 == 0x90 and second < 0x80:
                size = first & 0x0F | second << 4
                stream = block[here + 2 : here + 2 + size + _SLACK]
                inflating = inflater()
                try:
                    content = inflating.decompress(stream)
                except InflateError as error:
                    raise BadPack(str(error)) from error
                if inflating.eof and len(content) == size:
                    found.append(content)
                    entries += 1
                    here += 2 + len(stream) - len(inflating.unused_data)
                    continue
            try:
                commit, next_at = self._entry(at + here, end, block[here : here + _OFTEN_ENOUGH])
            except _Unfinished:
                break
            entries += 1
            here = next_at - at
            if commit is not None:
                found.append(commit)
                made += len(commit)
                if made > _ENOUGH:
                    break
        self.entries += entries
        return found, at + here

    def kind_at(self, at: int) -> int:
        """What the object of the entry at ``at`` is, behind all deltas.

        Raises:
            BadPack: it cannot be read.
        """
        for _ in range(_LONGEST_CHAIN):
            try:
                kind, _, base, _ = self._head(at, self._read(at, _LONGEST_HEAD))
            except _Unfinished:
                raise BadPack("an entry is cut off") from None
            if base is None:
                return kind
            at = base
        raise BadPack("a chain of deltas without end")

    def commit_at(self, at: int) -> bytes | None:
        """The commit that the entry at ``at`` is; None where it is something else.

        Raises:
            BadPack: it cannot be read.
        """
        try:
            return self._object(at)
        except _Unfinished:
            raise BadPack("an entry is cut off") from None

    def _entry(self, at: int, end: int, data: bytes) -> tuple[bytes | None, int]:
        """The commit that any entry is, None where it is something else; and where the next entry begins.

        ``data`` is what it begins with.
        """
        kind, size, base_at, start = self._head(at, data)
        base = None if base_at is None else self._object(base_at)
        is_commit = kind == COMMIT if base_at is None else base is not None
        content, next_at = self._inflate(start, size, end, keep=is_commit, data=data[start - at :])
        if not is_commit:
            return None, next_at
        return content if base is None else _applied(base, content), next_at

    def _head(self, at: int, data: bytes) -> tuple[int, int, int | None, int]:
        """Of the entry that ``data`` begins: kind, size, offset of the base (of a delta), where the stream begins."""
        try:
            first = data[0]
            kind, size, start = kind_of(first), first & 0x0F, 1
            if first & 0x80:
                more, start = read_size(data, 1)
                size |= more << 4
            base = None
            if kind == _OFS_DELTA:
                distance, start = _read_distance(data, start)
                base = at - distance
            elif kind == _REF_DELTA:
                base = self._named(data[start : start + self._digest_size])
                start += self._digest_size
        except IndexError:
            raise _Unfinished from None
        except BadDelta as error:
            raise BadPack(str(error)) from error
        if kind not in _KINDS or (base is not None and base < HEADER):
            raise BadPack("an entry of a kind unknown, or with a base outside of the pack")
        return kind, size, base, at + start

    def _named(self, name: bytes) -> int:
        if len(name) < self._digest_size:
            raise _Unfinished
        if self._find is None:
            raise BadPack("a delta names its base")
        return self._find(name)

    def _object(self, at: int) -> bytes | None:
        """The commit that the entry at ``at`` is behind all deltas; None where it is something else."""
        deltas: list[tuple[int, int, int]] = []
        while (content := self._bases.get(at)) is None:
            data = self._read(at, _OFTEN_ENOUGH)
            kind, size, base, start = self._head(at, data)
            if base is None:
                if kind != COMMIT:
                    return None
                content, _ = self._inflate(start, size, None, keep=True, data=data[start - at :])
                self._keep(at, content)
                break
            deltas.append((at, start, size))
            if len(deltas) > _LONGEST_CHAIN:
                raise BadPack("a chain of deltas without end")
            at = base
        made = 0
        for where, start, size in reversed(deltas):
            delta, _ = self._inflate(start, size, None, keep=True)
            content = _applied(content, delta)
            self._keep(where, content)
            made += len(content)
            if made > _LARGEST_CHAIN:
                raise BadPack("a chain of deltas that is too large")
        return content

    def _keep(self, at: int, content: bytes) -> None:
        self._kept += len(content)
        if self._kept > _MOST_KEPT:
            self._bases.clear()
            self._kept = len(content)
        self._bases[at] = content

    def _inflate(self, at: int, size: int, end: int | None, *, keep: bool, data: bytes = b"") -> tuple[bytes, int]:
        """The stream at ``at``, of ``size`` bytes when inflated (b'' unless ``keep``), and where it ends.

        ``data`` is what it begins with, as far as that was read already.
        """
        if keep and size > LARGEST:
            raise BadPack("a commit that is too large")
        pieces: list[bytes] = []
        made = 0
        inflating = inflater()
        if end is not None:
            data = data[: max(end - at, 0)]
        at += len(data)
        try:
            while True:
                # One byte more than may come, so that the end of the stream is seen.
                piece = inflating.decompress(data, min(_BLOCK, size - made) + 1)
                made += len(piece)
                if made > size:
                    raise BadPack("an object larger than it says")
                if keep:
                    pieces.append(piece)
                if inflating.eof:
                    break
                data = inflating.unconsumed_tail
                if not piece and not data:
                    data = self._more(at, size, end)
                    at += len(data)
        except InflateError as error:
            raise BadPack(str(error)) from error
        if made != size:
            raise BadPack("an object smaller than it says")
        return b"".join(pieces), at - len(inflating.unused_data)

    def _more(self, at: int, size: int, end: int | None) -> bytes:
        most = min(_BLOCK, size + _SLACK)
        data = self._read(at, most if end is None else min(most, end - at)) if end is None or end > at else b""
        if not data:
            raise _Unfinished
        return data


def _applied(base: bytes, delta: bytes) -> bytes:
    try:
        return apply_delta(base, delta, LARGEST)
    except BadDelta as error:
        raise BadPack(str(error)) from error


def _read_distance(data: bytes, at: int) -> tuple[int, int]:
    """How far before a delta its base begins, and where that number ends.

    Raises:
        IndexError: ``data`` ends in the middle.
    """
    byte = data[at]
    distance = byte & 0x7F
    while byte & 0x80:
        at += 1
        byte = data[at]
        distance = (distance + 1) << 7 | byte & 0x7F
    if not distance:
        raise BadPack("a delta against itself")
    return distance, at + 1
