"""The number of objects in a repository, from the indexes of its packs (gitformat-pack(5))."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

_MAGIC = b"\xfftOc\x00\x00\x00\x02"
# The number of ids up to each first byte; the last is that of all.
_FANOUT = 256 * 4


def number_of_objects(repository: Path) -> int:
    """Objects in packs. Most of a treeless clone's are commits, of all branches and tags that it has."""
    return sum(_number_of_ids(path) for path in (repository / "objects" / "pack").glob("pack-*.idx"))


def _number_of_ids(path: Path) -> int:
    # It only says how far a count is.
    with contextlib.suppress(OSError, struct.error), path.open("rb") as file:
        header = file.read(len(_MAGIC) + _FANOUT)
        if header.startswith(_MAGIC):
            return int(struct.unpack_from(">I", header, len(header) - 4)[0])
    return 0
