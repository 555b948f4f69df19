"""The pack files of a repository that is at rest, with their indexes; only ever read."""

from __future__ import annotations

import bisect
import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from podium.history.packfile.reader import COMMIT, HEADER, BadPack, Pack, number_of_entries

_INDEX_HEADER = b"\xfftOc\0\0\0\2"
_FANOUT = 256 * 4
_FAR = 1 << 31
_MEGABYTE = 1 << 20
# Offsets that are looked up for each part of a pack, so that the parts are about as long as each other.
_SPREAD = 8


class _File:
    """A file that is read at offsets.

    Attributes:
        on_read: called after about each megabyte; may raise.
    """

    def __init__(self, path: Path) -> None:
        self.on_read: Callable[[], None] = lambda: None
        self._read_since = 0
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise BadPack(f"a pack or its index cannot be read: {error.strerror}") from error
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        """Read what the file begins with."""

    @property
    def size(self) -> int:
        """How large it is by now."""
        return self.status.st_size

    @property
    def status(self) -> os.stat_result:
        """What the system says of the open file."""
        return os.fstat(self._file)

    def close(self) -> None:
        os.close(self._file)

    def read(self, at: int, most: int) -> bytes:
        """The bytes at an offset; see :data:`podium.history.packfile.reader.Read`."""
        self._read_since += most
        if self._read_since > _MEGABYTE:
            self._read_since = 0
            self.on_read()
        return os.pread(self._file, most, at)


class PackFile(_File):
    """One pack file; close it after use.

    Attributes:
        entries: how many its header announces.

    Raises:
        BadPack: it is none.
    """

    def __init__(self, path: Path, digest_size: int) -> None:
        self._index_path = path.with_suffix(".idx")
        self._digest_size = digest_size
        super().__init__(path)

    def _begin(self) -> None:
        self.entries = number_of_entries(self.read(0, HEADER))

    @property
    def end(self) -> int:
        """Where the entries end, and the checksum begins; of a pack that is still arriving, before which they do."""
        return self.size - self._digest_size

    def reader(self) -> Pack:
        """Reads the pack's commits."""
        return Pack(self.read, self._digest_size, self._offset_of)

    def _offset_of(self, name: bytes) -> int:
        # The index is opened where a delta names its base, which few do.
        return self._index.offset_of(name)

    @functools.cached_property
    def _index(self) -> PackIndex:
        return PackIndex(self._index_path, self._digest_size)

    @functools.cached_property
    def _by_name(self) -> Pack:
        return self.reader()

    def close(self) -> None:
        """Close the file, and its index."""
        super().close()
        if "_index" in self.__dict__:
            self._index.close()

    def parts(self, number: int) -> list[tuple[int, int]]:
        """Its entries in about ``number`` parts, as (begin, end).

        Raises:
            BadPack: its index is missing or odd.
        """
        begins = sorted({HEADER, *self._some_offsets(number)})
        return list(zip(begins, [*begins[1:], self.end], strict=True))

    def commit_parts(self, parts: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Those of its parts that hold commits, it seems: they begin with one, or one beside them does.

        Raises:
            BadPack: an entry with which one begins cannot be read.
        """
        reader = self.reader()
        so = [reader.kind_at(begin) == COMMIT for begin, _ in parts]
        beside = zip(parts, so, [False, *so[:-1]], [*so[1:], False], strict=True)
        return [part for part, *begins_so in beside if any(begins_so)]

    def commit_of(self, name: bytes) -> bytes | None:
        """The commit of that binary name; None where it is not in this pack, or is something else.

        Raises:
            BadPack: it cannot be read.
        """
        place = self._index.place_of(name)
        return None if place is None else self._by_name.commit_at(self._index.offset(place))

    def _some_offsets(self, number: int) -> list[int]:
        if len(self._index) != self.entries:
            raise BadPack("its index is another pack's")
        # The order of names is the order of hashes, so every n-th of them is anywhere in the pack: a part between two
        # such would often be three times as long as another. Of several times as many, every so many are well spread.
        step = max(1, self.entries // (number * _SPREAD))
        found = sorted(self._index.offset(place) for place in range(0, self.entries, step))
        return found[:: max(1, len(found) // number)]


class PackIndex(_File, Sequence[bytes]):
    """The index of a pack (gitformat-pack, version 2): the binary names of its objects, in order.

    Raises:
        BadPack: it is missing, of another version, or too short for what it announces.
    """

    def __init__(self, path: Path, digest_size: int) -> None:
        self._digest_size = digest_size
        super().__init__(path)

    def _begin(self) -> None:
        self._names = len(_INDEX_HEADER) + _FANOUT
        if self.read(0, len(_INDEX_HEADER)) != _INDEX_HEADER:
            raise BadPack("its index is of another version")
        self._length = int.from_bytes(self.read(self._names - 4, 4))
        # Behind the names a checksum of four bytes each, then the offsets.
        self._offsets = self._names + self._length * (self._digest_size + 4)
        self._far = self._offsets + self._length * 4
        if self.size < self._far + 2 * self._digest_size:
            raise BadPack("its index is too short")

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: int) -> bytes:  # type: ignore[override] # no slices are taken
        return self.read(self._names + place * self._digest_size, self._digest_size)

    def offset(self, place: int) -> int:
        """Where the object of a place in that order begins in the pack."""
        offset = int.from_bytes(self.read(self._offsets + 4 * place, 4))
        return offset if offset < _FAR else int.from_bytes(self.read(self._far + 8 * (offset - _FAR), 8))

    def offset_of(self, name: bytes) -> int:
        """Where the object of that name begins.

        Raises:
            BadPack: it is not in this pack.
        """
        place = self.place_of(name)
        if place is None:
            raise BadPack("the base of a delta is not there")
        return self.offset(place)

    def place_of(self, name: bytes) -> int | None:
        """The place of that name in their order; None where it is not in this pack."""
        place = bisect.bisect_left(self, name)
        return place if place < len(self) and self[place] == name else None


@contextlib.contextmanager
def opened(paths: Sequence[Path], digest_size: int) -> Iterator[list[PackFile]]:
    """These packs, open for the length of a ``with`` block.

    Raises:
        BadPack: one of them is none.
    """
    with contextlib.ExitStack() as stack:
        packs = []
        for path in paths:
            packs.append(PackFile(path, digest_size))
            stack.callback(packs[-1].close)
        yield packs
