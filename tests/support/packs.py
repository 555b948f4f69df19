"""Pack files made by hand, so that anything odd can stand in one."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support import repos

KINDS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}


@dataclass(frozen=True)
class Entry:
    """An entry as it will stand in a pack.

    ``content`` is the object's, or the delta's. ``base`` is the number of the entry that a delta is against, or the
    name of one. ``says`` is the size it claims, ``stream`` what stands there instead of the deflated content.
    """

    content: bytes
    kind: str = "commit"
    base: int | bytes | None = None
    says: int | None = None
    stream: bytes | None = None
    level: int = 6


def pack(entries: Sequence[Entry], *, announced: int | None = None, checksum: bytes | None = None) -> bytes:
    """The bytes of a pack of these entries."""
    offsets: list[int] = []
    made = b"PACK" + (2).to_bytes(4) + (len(entries) if announced is None else announced).to_bytes(4)
    for entry in entries:
        offsets.append(len(made))
        made += _entry(entry, offsets)
    return made + (hashlib.sha1(made).digest() if checksum is None else checksum)


def _entry(entry: Entry, offsets: list[int]) -> bytes:
    if entry.base is None:
        kind, base = KINDS[entry.kind], b""
    elif isinstance(entry.base, bytes):
        kind, base = 7, entry.base
    else:
        kind, base = 6, _distance(offsets[-1] - (offsets[entry.base] if entry.base < len(offsets) else 0))
    size = len(entry.content) if entry.says is None else entry.says
    head, size = kind << 4 | size & 15, size >> 4
    said = bytearray()
    while size:
        said.append(head | 0x80)
        head, size = size & 0x7F, size >> 7
    said.append(head)
    return bytes(said) + base + (zlib.compress(entry.content, entry.level) if entry.stream is None else entry.stream)


def _distance(number: int) -> bytes:
    said = [number & 0x7F]
    while number := number >> 7:
        number -= 1
        said.append(0x80 | number & 0x7F)
    return bytes(reversed(said))


def size(number: int) -> bytes:
    """A size as a delta begins with two of."""
    said = bytearray()
    while number >= 0x80:
        said.append(0x80 | number & 0x7F)
        number >>= 7
    return bytes([*said, number])


def delta(base: bytes, target: bytes) -> bytes:
    """A delta that copies what both begin and end with, and inserts the rest."""
    start = 0
    while start < min(len(base), len(target)) and base[start] == target[start]:
        start += 1
    end = 0
    while end < min(len(base), len(target)) - start and base[-1 - end] == target[-1 - end]:
        end += 1
    made = size(len(base)) + size(len(target)) + copy(0, start)
    middle = target[start : len(target) - end]
    for at in range(0, len(middle), 127):
        piece = middle[at : at + 127]
        made += bytes([len(piece)]) + piece
    return made + copy(len(base) - end, end)


def copy(start: int, length: int) -> bytes:
    """The instructions that copy from a base."""
    made = b""
    while length:
        some = min(length, 0xFFFF)
        made += bytes([0x80 | 0x0F | 0x30]) + start.to_bytes(4, "little") + some.to_bytes(2, "little")
        start, length = start + some, length - some
    return made


def write(repository: Path, content: bytes, *, index: bool = True) -> Path:
    """Put a pack into a repository, with the index that git makes of it."""
    folder = repository / "objects" / "pack"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"pack-{hashlib.sha1(content).hexdigest()}.pack"
    path.write_bytes(content)
    if index:
        repos.git(repository, "index-pack", str(path))
    return path
