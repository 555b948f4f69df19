"""The number of objects in a repository, from the indexes of its packs (gitformat-pack(5))."""

from __future__ import annotations

import contextlib
import mmap
import struct
from pathlib import Path

_MAGIC = b"\xfftOc\x00\x00\x00\x02"
# Where the ids begin, in order: before them, the number of ids up to each first byte; the last is that of all.
IDS = len(_MAGIC) + 256 * 4


def number_of_objects(repository: Path) -> int:
    """Objects in packs. Most of a treeless clone's are commits, of all branches and tags that it has."""
    return sum(_number_of_ids(path) for path in (repository / "objects" / "pack").glob("pack-*.idx"))


def number_of_ids(index: bytes | mmap.mmap) -> int:
    """Of an index or its beginning; 0: it is of another version.

    Raises:
        struct.error: it is cut off.
    """
    if index[: len(_MAGIC)] != _MAGIC:
        return 0
    (number,) = struct.unpack_from(">I", index, IDS - 4)
    return int(number)


def _number_of_ids(path: Path) -> int:
    # It only says how far a count is.
    with contextlib.suppress(OSError, struct.error), path.open("rb") as file:
        return number_of_ids(file.read(IDS))
    return 0
