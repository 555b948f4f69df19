"""Count a first clone while ``git index-pack`` writes its pack.

The count holds only if git kept that file, and if the file is exactly the history of the head.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from podium.history.commit import MOST_PARENTS
from podium.history.commit_reader import CommitReader
from podium.history.large_commit import LARGEST_COMMIT, beginning_of
from podium.history.oid import CommitHasher
from podium.history.packfile.reader import PACK_HEADER_SIZE, BadPack, PackReader, number_of_entries
from podium.history.totals import Tally
from podium.history.walks.cat_file import new_nonce, record
from podium.history.walks.closed_history import ClosedHistoryCheck
from podium.textutil.plural import plural

_PACK_NAME = re.compile(r"tmp_pack_.*|pack-.*\.pack")
# It never leaves this process. One for all counts saves compiling the expressions that contain it.
_NONCE = new_nonce()
# Bytes. Smaller reads cost more than they gain.
_WORTH_READING = 128 << 10
# About ten milliseconds.
_BLOCKS_A_STEP = 4
# A larger entry would be read again and again while it arrives.
_LARGEST_ENTRY = 4 << 20


class IncomingPack:
    """Counts the commits of a pack that git receives into an empty repository.

    Args:
        digits: of an oid: 40, or 64 with SHA-256.
        on_progress: called with the totals so far and the number of the pack's objects; may raise.

    Attributes:
        fault: why the commits cannot be counted, or None.
        tally: the totals, once :meth:`finish` has found no fault.
    """

    def __init__(self, digits: int, on_progress: Callable[[Tally, int], None]) -> None:
        self.has_begun = False
        self.fault: str | None = None
        self.tally: Tally | None = None
        self._digest_size = digits // 2
        self._on_progress = on_progress
        self._counter = CommitCounter(digits)
        self._file: _PackFile | None = None
        self._offset = PACK_HEADER_SIZE

    def step(self, repository: Path) -> bool:
        """Count some arrived commits; return whether more can be counted at once."""
        self.has_begun = True
        if self.fault:
            return False
        try:
            return self._step(repository, _WORTH_READING)
        except BadPack as error:
            self.fault = str(error)
            return False

    def begin(self, repository: Path) -> None:
        """Count at least the first commit, if it has arrived."""
        if not self.fault:
            try:
                self._step(repository, 1)
            except BadPack as error:
                self.fault = str(error)

    def commit(self, oid: str) -> bytes | None:
        """The content of a commit, if it is the first of the pack, as the head usually is."""
        first = self._counter.first
        return first[1] if first is not None and first[0] == oid.encode() else None

    def finish(self, repository: Path, head: str) -> None:
        """Count the rest, and check that it is the history of ``head``."""
        if not self.has_begun:
            return
        try:
            while not self.fault and self._step(repository, 1):
                pass
            self.fault = self.fault or self._fault(repository, head)
        except BadPack as error:
            self.fault = str(error)
        if not self.fault:
            self.tally = self._counter.tally

    def close(self) -> None:
        if self._file:
            self._file.close()

    def _step(self, repository: Path, worth: int) -> bool:
        file = self._file = self._file or self._found(repository)
        if file is None:
            return False
        for _ in range(_BLOCKS_A_STEP):
            # The checksum may not have arrived.
            end = file.status.st_size - self._digest_size
            if end - self._offset < worth:
                return False
            commits, next_offset = file.reader.commits(self._offset, end)
            if next_offset == self._offset:
                if end - self._offset > _LARGEST_ENTRY:
                    raise BadPack("an entry is too large")
                return False
            self._offset = next_offset
            self._counter.add(commits)
            self._on_progress(self._counter.tally, file.entries)
        return True

    def _found(self, repository: Path) -> _PackFile | None:
        folder = repository / "objects" / "pack"
        # git may be writing its header, or renaming the file.
        try:
            with os.scandir(folder) as entries:
                names = [entry.name for entry in entries if _PACK_NAME.fullmatch(entry.name)]
            if len(names) > 1:
                raise BadPack("there is another pack")
            if not names or (folder / names[0]).stat().st_size < PACK_HEADER_SIZE + self._digest_size:
                return None
            return _PackFile(folder / names[0])
        except FileNotFoundError:
            return None

    def _fault(self, repository: Path, head: str) -> str | None:
        if self._file is None:
            return "no pack arrived"
        checksum = self._file.read(self._offset, 2 * self._digest_size)
        kept = repository / "objects" / "pack" / f"pack-{checksum.hex()}.pack"
        if not kept.exists() or not os.path.samestat(kept.stat(), self._file.status):
            return "git kept another pack"
        if self._file.reader.entries != self._file.entries:
            return "it contains another number of objects than it says"
        return self._counter.fault(head)


class CommitCounter:
    """Counts the commits of an arriving pack, and checks that they are one closed history.

    Attributes:
        first: the oid and the content of the first commit.
    """

    def __init__(self, digits: int) -> None:
        self.tally = Tally()
        self.first: tuple[bytes, bytes] | None = None
        # git's own walk fails on an object without a tree.
        self._is_commit = re.compile(rb"tree [0-9a-fA-F]{%d}\n" % digits).match
        self._most_parents = MOST_PARENTS * (len(b"parent \n") + digits)
        self._bogus = 0
        self._nonce = _NONCE
        self._reader = CommitReader(self._nonce, digits)
        self._hasher = CommitHasher(digits)
        self._check = ClosedHistoryCheck()

    def add(self, commits: list[bytes]) -> None:
        named = list(zip(self._hasher.oids(commits), commits, strict=True))
        if self.first is None and named:
            self.first = named[0]
        records = [record(self._nonce, oid, commit) for oid, commit in named if len(commit) <= LARGEST_COMMIT]
        large = [(oid, beginning_of(commit)) for oid, commit in named if len(commit) > LARGEST_COMMIT]
        self._bogus += sum(1 for commit in commits if not self._is_commit(commit))
        oids, facts = self._reader.read(b"".join(records), large)
        self.tally.add(oids, facts)
        parents = [each[5] for each in facts]
        if max(map(len, parents), default=0) > self._most_parents:
            raise BadPack(f"a commit has more than {MOST_PARENTS:,} parents")
        self._check.add(oids, parents)

    def fault(self, head: str) -> str | None:
        if self._bogus:
            return f"it contains {plural(self._bogus, 'damaged commit')}"
        return self._check.fault(head)


class _PackFile:
    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise BadPack(f"it cannot be opened: {error.strerror}") from error
        try:
            self.entries = number_of_entries(self.read(0, PACK_HEADER_SIZE))
        except BadPack:
            self.close()
            raise
        self.reader = PackReader(self.read)

    @property
    def status(self) -> os.stat_result:
        return os.fstat(self._file)

    def read(self, offset: int, most: int) -> bytes:
        return os.pread(self._file, most, offset)

    def close(self) -> None:
        os.close(self._file)
