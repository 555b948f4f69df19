"""Other processes of Podium's own that read parts of packs (:mod:`podium.history.parts`), as their parent sees them."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from podium.history import processes
from podium.history.faults import clean
from podium.history.packs import BadPack
from podium.history.parts import Queue, Told, command

# More processes than this read no faster than a disk gives.
_MOST = 4
# Parts that are read sooner than a process starts.
_TOO_FEW_PARTS = 8


class Helper:
    """One that runs. ``told`` is what it has said so far."""

    def __init__(self, process: processes.Process, told: Told) -> None:
        self.told = told
        self._process = process

    def hear(self) -> None:
        """Hear what it has said by now, without waiting."""
        assert self._process.stdout  # noqa: S101 # a pipe
        while select.select([self._process.stdout], [], [], 0)[0]:
            data = os.read(self._process.stdout.fileno(), processes.CHUNK)
            if not data:
                break
            self.told.hear(data)

    def hear_out(self, check: Callable[[], None]) -> Told:
        """Hear all that it says until it has ended; ``check`` is called meanwhile, and may raise.

        Raises:
            BadPack: it could not read its parts, or was ended by something else.
        """
        errors = bytearray()
        process = self._process
        processes.pump(process, b"", {process.stdout: self.told.hear, process.stderr: errors.extend}, check)
        if process.returncode or self.told.counted is None:
            last = errors.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise BadPack(clean(last) or f"a second process ended with status {process.returncode}")
        return self.told


@contextlib.contextmanager
def helping(
    digits: int,
    packs: list[Path],
    queue: Queue,
    on_part: Callable[[list[bytes], list[bytes]], None],
    memory: int | None,
) -> Iterator[list[Helper]]:
    """As many helpers as there are idle processors and parts worth their start, for the length of a ``with`` block.

    Args:
        digits: of an object's name.
        packs: what they read from.
        queue: where they take parts from.
        on_part: is told of each part that one of them has read.
        memory: bytes that each may use; None: no limit.

    Raises:
        BadPack: one cannot be started.
    """
    number = min(_processors(), _MOST, queue.parts // _TOO_FEW_PARTS) - 1
    words = command(digits, packs)
    with contextlib.ExitStack() as stack:
        helpers = []
        for _ in range(number):
            try:
                process = processes.start(words, {}, None, memory=memory, stdin=queue.source)
            except OSError as error:
                raise BadPack(f"a second process cannot be started: {error.strerror}") from error
            stack.enter_context(processes.ended(process))
            helpers.append(Helper(process, Told(on_part)))
        yield helpers


def _processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
