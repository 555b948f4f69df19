"""Packs read by several processes, part by part.

A pipe is the queue: each part is a few bytes in it, written before anybody reads, and whoever is free takes the next.
:func:`main` is a helper's whole life: it is started with the packs' names, takes parts from that pipe, and
tells of each on its standard output what was in it, and at the end what it counted; where that waits for what
all readers together know, it is told so on its standard input.
"""

from __future__ import annotations

import fcntl
import gc
import marshal
import os
import struct
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from podium.history import totals
from podium.history.packfile.reader import BadPack
from podium.history.packfiles import PackFile, opened
from podium.history.reach import Place
from podium.history.reading import Reading, Seen

# Number of the pack, begin and end of the part.
_PART = struct.Struct("<IQQ")
_SIZE = struct.Struct("<Q")


class Queue:
    """Parts of packs, (number of the pack, begin, end), that are still to be read; use it as a context manager.

    Attributes:
        parts: how many there were.
        source: the end of the pipe from which parts are taken.
    """

    def __init__(self, parts: Sequence[tuple[int, int, int]]) -> None:
        self.parts = len(parts)
        self.source, sink = os.pipe()
        os.write(sink, b"".join(_PART.pack(*part) for part in parts))
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
            while at < end:
                commits, next_at = self._readers[number].commits(at, end)
                if next_at == at:
                    raise BadPack("an entry is cut off")
                at = next_at
                yield self._reading.add(commits)
                self._check()
            if at != end:
                raise BadPack("an entry reaches into the next part")
        self.entries = sum(reader.entries for reader in self._readers)


def command(digits: int, packs: Sequence[Path], source: int, *, waits: bool) -> list[str]:
    """What starts a helper: this interpreter, without what it does at its start that nobody needs here.

    It inherits ``source``, the queue's end of its pipe; ``waits`` as :class:`Reading` has it.
    """
    words = (str(digits), str(source), "waits" if waits else "", *(str(pack) for pack in packs))
    script = f"import sys; sys.path = {sys.path!r}; from podium.history.parts import main; main()"
    options = ["-I", "-S", *(["-B"] if sys.dont_write_bytecode else [])]
    return [sys.executable, *options, "-c", script, *words]


def main() -> None:
    """A helper's whole life."""
    # A short life in which nothing refers to itself: what looks for that would only cost time.
    gc.disable()
    digits, source, waits, *paths = sys.argv[1:]
    reading = Reading(int(digits), waits=bool(waits))
    try:
        with opened([Path(path) for path in paths], int(digits) // 2) as packs:
            parts = Parts(int(source), packs, reading)
            for seen in parts:
                _say(tuple(seen))
    except BadPack as error:
        sys.exit(str(error))
    _say((parts.entries, reading.bogus, True))
    if waits:
        beyond, again = marshal.loads(sys.stdin.buffer.read())  # noqa: S302 - our own parent's
        reading.settle(beyond, again)
    _say((reading.tally.part(),))
    # All is said: giving every object back would keep whoever waits.
    os._exit(0)


def what_not_to_count(beyond: set[bytes], again: list[Place]) -> bytes:
    """What a helper that waits is told."""
    return marshal.dumps((beyond, again))


def _say(value: tuple[Any, ...]) -> None:
    said = marshal.dumps(value)
    sys.stdout.buffer.write(_SIZE.pack(len(said)) + said)
    sys.stdout.buffer.flush()


class Told:
    """What a helper says, heard in whatever pieces it comes.

    Attributes:
        entries, bogus, has_read: what its parts held, once it has said so.
        counted: what it counted in all; None until it has said so.
    """

    def __init__(self, on_part: Callable[[list[bytes], list[bytes]], None]) -> None:
        self.entries = 0
        self.bogus = 0
        self.has_read = False
        self.counted: totals.Part | None = None
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
            match len(said):
                case 2:
                    self._on_part(*said)
                case 3:
                    self.entries, self.bogus, self.has_read = said
                case _:
                    (self.counted,) = said
