"""Packs read by several processes, part by part.

A pipe is the queue: each part is a few bytes in it, written before anybody reads, and whoever is free takes the next.
:func:`main` is a helper's whole life: it is started with the packs' names, takes parts from its standard input, and
tells of each on its standard output what was in it, and at the end what it counted.
"""

from __future__ import annotations

import fcntl
import marshal
import os
import struct
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from podium.history import tally
from podium.history.packfiles import PackFile, opened
from podium.history.packs import BadPack
from podium.history.reading import Reading, Seen

# Number of the pack, begin and end of the part.
_PART = struct.Struct("<IQQ")
# As many as a pipe takes at once, before anybody reads.
_MOST_PARTS = 3000
# Objects that make a part: about ten milliseconds of reading.
_OBJECTS_IN_A_PART = 1500
_SIZE = struct.Struct("<Q")


class Queue:
    """The parts of some packs that are still to be read; use it as a context manager.

    Attributes:
        parts: how many there were.
        source: the end of the pipe from which parts are taken.

    Raises:
        BadPack: there are too many packs, or the index of one is missing or odd.
    """

    def __init__(self, packs: Sequence[PackFile]) -> None:
        objects = sum(pack.entries for pack in packs)
        size = max(_OBJECTS_IN_A_PART, objects * 2 // _MOST_PARTS)
        parts = [
            _PART.pack(number, *part)
            for number, pack in enumerate(packs)
            for part in pack.parts(max(1, pack.entries // size))
        ]
        if len(parts) > _MOST_PARTS:
            raise BadPack("there are too many of them")
        self.parts = len(parts)
        self.source, sink = os.pipe()
        os.write(sink, b"".join(parts))
        os.close(sink)

    def left(self) -> int:
        """How many nobody has taken yet."""
        waiting = fcntl.ioctl(self.source, termios.FIONREAD, bytes(4))
        return int.from_bytes(waiting, sys.byteorder) // _PART.size

    def __enter__(self) -> Queue:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.source)


class Parts:
    """Reads parts of packs, one after the other, until a queue is empty; ``check`` is called often, and may raise.

    Attributes:
        entries: how many entries of the packs were read, whatever they are.
    """

    def __init__(
        self, source: int, packs: Sequence[PackFile], reading: Reading, check: Callable[[], None] = lambda: None
    ) -> None:
        self.entries = 0
        self._check = check
        for pack in packs:
            pack.on_read = check
        self._source = source
        self._readers = [pack.reader() for pack in packs]
        self._reading = reading

    def __iter__(self) -> Iterator[Seen]:
        """Count part by part, and give what each was.

        Raises:
            BadPack: something in them cannot be read.
        """
        while part := os.read(self._source, _PART.size):
            number, at, end = _PART.unpack(part)
            names, parents = Seen([], [])
            while at < end:
                commits, next_at = self._readers[number].commits(at, end)
                if next_at == at:
                    raise BadPack("an entry is cut off")
                at = next_at
                seen = self._reading.add(commits)
                names += seen.names
                parents += seen.parents
                self._check()
            if at != end:
                raise BadPack("an entry reaches into the next part")
            yield Seen(names, parents)
        self.entries = sum(reader.entries for reader in self._readers)


def command(digits: int, packs: Sequence[Path]) -> list[str]:
    """What starts a helper: this interpreter, without what it does at its start that nobody needs here."""
    words = (str(digits), *(str(pack) for pack in packs))
    script = f"import sys; sys.path = {sys.path!r}; from podium.history.parts import main; main()"
    return [sys.executable, "-I", "-S", "-c", script, *words]


def main() -> None:
    """A helper's whole life."""
    digits, *paths = sys.argv[1:]
    reading = Reading(int(digits))
    try:
        with opened([Path(path) for path in paths], int(digits) // 2) as packs:
            parts = Parts(sys.stdin.fileno(), packs, reading)
            for names, parents in parts:
                _say((b" ".join(names), b" ".join(parents)))
    except BadPack as error:
        sys.exit(str(error))
    _say((parts.entries, reading.bogus, reading.tally.part()))


def _say(value: tuple[Any, ...]) -> None:
    said = marshal.dumps(value)
    sys.stdout.buffer.write(_SIZE.pack(len(said)) + said)
    sys.stdout.buffer.flush()


class Told:
    """What a helper says, heard in whatever pieces it comes.

    Attributes:
        entries, bogus, counted: what it counted in all, once it has said so; until then ``counted`` is None.
    """

    def __init__(self, on_part: Callable[[list[bytes], list[bytes]], None]) -> None:
        self.entries = 0
        self.bogus = 0
        self.counted: tally.Part | None = None
        self._on_part = on_part
        self._heard = bytearray()

    def hear(self, data: bytes) -> None:
        """Read the next piece; ``on_part`` is told of each part that was read."""
        heard = self._heard
        heard += data
        while len(heard) >= _SIZE.size:
            end = _SIZE.size + _SIZE.unpack_from(heard)[0]
            if len(heard) < end:
                return
            said = marshal.loads(memoryview(heard)[_SIZE.size : end])  # noqa: S302 - our own helper's
            del heard[:end]
            if len(said) == 2:
                self._on_part(*(names.split() for names in said))
            else:
                self.entries, self.bogus, self.counted = said
