"""The fast way to a first count: a pack read while git still receives it.

``git index-pack`` writes what arrives to a file, in the order in which it arrives. Its commits are counted from there,
so that they are counted when the clone is done. git alone decides whether the pack is good: what was read counts only
if git kept that very file, and if it proves to be a whole history.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from podium.history.closed_history import Proof
from podium.history.packfile.reader import HEADER, BadPack, Pack
from podium.history.packfiles import PackFile
from podium.history.reading import Reading
from podium.history.totals import Tally

# Reading fewer bytes than this at a time would cost more than it gains.
_WORTH_READING = 128 << 10
# Blocks that are read before git has its turn again: about ten milliseconds.
_BLOCKS = 4
# Without trees no entry is larger; one that is would be read again and again while it arrives.
_LARGEST_ENTRY = 4 << 20


class Follower:
    """Follows the pack that git receives into an empty repository; close it after use.

    Args:
        digits: of an object's name: 40, or 64 with SHA-256.
        on_progress: is told how many commits were counted so far, often; may raise.

    Attributes:
        has_followed: whether there was anything to follow.
        fault: why what was read cannot be counted; None while nothing is wrong.
        tally: the totals, once :meth:`finish` has found nothing wrong.
    """

    def __init__(self, digits: int, on_progress: Callable[[int], None]) -> None:
        self.has_followed = False
        self.fault: str | None = None
        self.tally: Tally | None = None
        self._digest_size = digits // 2
        self._on_progress = on_progress
        self._reading, self._proof = Reading(digits), Proof()
        self._file: PackFile | None = None
        self._pack: Pack | None = None
        self._at = HEADER

    def step(self, repository: Path) -> bool:
        """Count some of what has arrived in ``repository`` by now; whether there is more to count at once."""
        self.has_followed = True
        if self.fault:
            return False
        try:
            return self._step(repository, _WORTH_READING)
        except BadPack as error:
            self.fault = str(error)
            return False

    def finish(self, repository: Path, head: str) -> None:
        """Count the rest, after git has ended well, and see whether it was the history of ``head``."""
        if not self.has_followed:
            return
        try:
            while not self.fault and self._step(repository, 1):
                pass
            self.fault = self.fault or self._fault(repository, head)
        except BadPack as error:
            self.fault = str(error)
        if not self.fault:
            self.tally = self._reading.tally

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()

    def _step(self, repository: Path, worth: int) -> bool:
        if self._file is None or self._pack is None:
            self._file = self._found(repository)
            if self._file is None:
                return False
            # Without an index there is nothing to find a named base by; git asks for none such.
            self._pack = Pack(self._file.read, self._digest_size)
        for _ in range(_BLOCKS):
            end = self._file.end
            if end - self._at < worth:
                return False
            commits, next_at = self._pack.commits(self._at, end)
            if next_at == self._at:
                if end - self._at > _LARGEST_ENTRY:
                    raise BadPack("an entry that is too large")
                return False
            self._at = next_at
            self._proof.add(0, *self._reading.add(commits))
            self._on_progress(self._reading.tally.total_commits)
        return True

    def _found(self, repository: Path) -> PackFile | None:
        """The pack, once git has begun to write it."""
        folder = repository / "objects" / "pack"
        paths = [*folder.glob("tmp_pack_*"), *folder.glob("pack-*.pack")]
        if len(paths) > 1:
            raise BadPack("there is another pack")
        # git may be about to rename it, or may not have written its beginning yet.
        if not paths or not paths[0].exists() or paths[0].stat().st_size < HEADER + self._digest_size:
            return None
        return PackFile(paths[0], self._digest_size)

    def _fault(self, repository: Path, head: str) -> str | None:
        if self._file is None or self._pack is None:
            return "no pack arrived"
        checksum = self._file.read(self._at, 2 * self._digest_size)
        kept = repository / "objects" / "pack" / f"pack-{checksum.hex()}.pack"
        if not kept.exists() or not os.path.samestat(kept.stat(), self._file.status):
            return "git kept another pack"
        if self._pack.entries != self._file.entries:
            return "it holds another number of objects than it says"
        if self._reading.bogus:
            return f"{self._reading.bogus} commits are damaged"
        return self._proof.fault(head)
