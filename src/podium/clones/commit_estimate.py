"""How many commits a walk will find, estimated from a sample of the repository's objects.

The exact number costs a walk of its own. The ids of objects are hashes, so every n-th id of a pack's index is a random
object. The walk goes from new to old: the share of the sampled commits that are newer than where it is says how far it
is, also if other branches have many commits.
"""

from __future__ import annotations

import contextlib
import mmap
import statistics
import struct
import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path

from podium.clones.pack_indexes import IDS, number_of_ids
from podium.errors import HistoryError, Interrupted
from podium.git.command import Git
from podium.history.totals import Tally

# Objects in a sample, and the fewest commits among them that say something.
_SAMPLE = 4096
_FEWEST = 50
# Seconds until the sample is taken: a small repository has been counted by then.
_DELAY = 0.3
# Commits of the sample that count as much as the first guess, that the walk reaches every commit.
_GUESS = 20
_LATEST = 101


class CommitEstimate:
    """An estimate that a thread prepares during the walk.

    Args:
        delay: seconds until the sample is taken.
    """

    def __init__(self, git: Git, repository: Path, delay: float = _DELAY) -> None:
        self._git = git
        self._repository = repository
        self._delay = delay
        self._closed = threading.Event()
        self._start: int | None = None
        self._dates: list[int] = []
        self._weight = 0.0
        self._thread = threading.Thread(target=self._prepare, name="estimate", daemon=True)
        self._thread.start()

    def total(self, tally: Tally) -> int | None:
        """All commits of the walk that found ``tally`` so far; None if that is unknown."""
        latest = [date for date in tally.latest_dates(_LATEST) if date > 0]
        if not latest:
            return None
        now = round(statistics.median(latest))
        if self._start is None:
            self._start = max(tally.latest_dates(tally.total_commits))
        if not self._dates:
            return None
        older = bisect_left(self._dates, now)
        newer = bisect_left(self._dates, self._start) - older
        reached = (tally.total_commits + _GUESS * self._weight) / ((max(0, newer) + _GUESS) * self._weight)
        return tally.total_commits + round(older * self._weight * reached)

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _prepare(self) -> None:
        if self._closed.wait(self._delay):
            return
        # Without an estimate the count continues.
        with contextlib.suppress(HistoryError, Interrupted, OSError, ValueError, struct.error):
            dates, weight = self._sampled()
            if len(dates) >= _FEWEST:
                self._weight, self._dates = weight, dates

    def _sampled(self) -> tuple[list[int], float]:
        """The author dates of the sampled commits, and the number of objects that each stands for."""
        with contextlib.ExitStack() as stack:
            indexes = [stack.enter_context(_opened(path)) for path in self._index_files()]
            counts = [number_of_ids(index) for index in indexes]
            step = max(1, sum(counts) // _SAMPLE)
            size = self._id_size()
            ids = [
                index[IDS + place * size : IDS + (place + 1) * size].hex()
                for index, count in zip(indexes, counts, strict=True)
                for place in range(step // 2, count, step)
            ]
        commits = [line.split()[1] for line in self._ask("cat-file", _CHECK, words=ids) if line.startswith("commit ")]
        found = self._ask("rev-list", "--no-walk=unsorted", "--format=%at", "--stdin", words=commits)
        return sorted(int(line) for line in found if line.isdigit()), step

    def _index_files(self) -> Iterator[Path]:
        (line,) = self._ask("rev-parse", "--git-path", "objects")
        objects = self._repository / line
        alternates = objects / "info" / "alternates"
        others = alternates.read_text().splitlines() if alternates.exists() else []
        for folder in (objects, *(objects / other for other in others if other and not other.startswith("#"))):
            yield from sorted((folder / "pack").glob("pack-*.idx"))

    def _id_size(self) -> int:
        (line,) = self._ask("rev-parse", "--show-object-format")
        return 32 if line == "sha256" else 20

    def _ask(self, *command: str, words: Sequence[str] = ()) -> list[str]:
        stdin = "".join(f"{word}\n" for word in words).encode()
        output = self._git.read(*command, repository=self._repository, stdin=stdin, stop=self._closed)
        return output.decode("utf-8", "surrogateescape").splitlines()


_CHECK = "--batch-check=%(objecttype) %(objectname)"


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as index:
        yield index
