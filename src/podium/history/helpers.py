"""Other processes of Podium's own that read parts of packs (:mod:`podium.history.parts`), as their parent sees them."""

from __future__ import annotations

import contextlib
import functools
import os
import select
import sys
from collections.abc import Callable, Iterator

from podium.git import processes
from podium.git.error_messages import clean
from podium.history.packfile.reader import BadPack
from podium.history.parts import Queue, Told, command
from podium.history.survey import Survey

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

    def hear_parts(self, check: Callable[[], None]) -> None:
        """Hear of all parts that it reads; ``check`` is called meanwhile, and may raise.

        Raises:
            BadPack: it could not read its parts, or was ended by something else.
        """
        assert self._process.stdout  # noqa: S101 # a pipe
        while not self.told.has_read:
            if select.select([self._process.stdout], [], [], processes.TICK)[0]:
                data = os.read(self._process.stdout.fileno(), processes.CHUNK)
                if not data:
                    self.hear_out(check)
                    break
                self.told.hear(data)
            check()

    def hear_out(self, check: Callable[[], None], message: bytes = b"") -> Told:
        """Hear all that it has to say; ``check`` is called meanwhile, and may raise.

        Raises:
            BadPack: it could not read its parts, or was ended by something else.
        """
        errors = bytearray()
        process, told = self._process, self.told
        # What it says last is all that is wanted of it: nobody waits until it has gone.
        sinks = {process.stdout: told.hear, process.stderr: errors.extend}
        processes.pump(process, message, sinks, check, until=lambda: told.counted is not None)
        if told.counted is None:
            last = errors.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise BadPack(clean(last) or f"a second process ended with status {process.returncode}")
        return told


@contextlib.contextmanager
def helping(
    digits: int,
    found: Survey,
    queue: Queue,
    *,
    on_part: Callable[[int, list[bytes], list[bytes]], None],
    memory: int | None,
) -> Iterator[list[Helper]]:
    """As many helpers as there are idle processors and parts worth their start, for the length of a ``with`` block.

    Args:
        digits: of an object's name.
        found: what they read.
        queue: where they take parts from.
        on_part: is told of each part that one of them has read: the helper's number, from 1 on, names, parents.
        memory: bytes that each may use; None: no limit.

    Raises:
        BadPack: one cannot be started.
    """
    number = min(_processors(), _MOST, queue.parts // _TOO_FEW_PARTS)
    words = command(digits, found.packs, queue.source, waits=not found.whole)
    with contextlib.ExitStack() as stack:
        helpers = []
        for one in range(1, number):
            try:
                process = processes.start(words, {}, None, memory=memory, inherited=(queue.source,))
            except OSError as error:
                raise BadPack(f"a second process cannot be started: {error.strerror}") from error
            stack.enter_context(processes.ended(process, politely=False))
            helpers.append(Helper(process, Told(functools.partial(on_part, one))))
        yield helpers


def _processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
