"""Count commits with ``git rev-list | git cat-file --batch``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from podium.git.command import Git
from podium.git.limits import Stop
from podium.history.walks.cat_file import BatchSplitter, new_nonce

if TYPE_CHECKING:
    from podium.history.totals import Tally


class Walk:
    """A walk over the commits that ``head`` reaches and ``left_out`` do not (full oids).

    git begins at once, and waits when its pipes are full.

    Raises:
        HistoryError: git cannot be started.
    """

    def __init__(self, git: Git, repository: Path, head: str, *left_out: str) -> None:
        self._nonce = new_nonce()
        self._digits = len(head)
        words = ["rev-list", "--end-of-options", head, *(f"^{oid}" for oid in left_out)]
        objects = ["cat-file", f"--batch={self._nonce.decode()} %(objectname) %(objectsize)", "--buffer"]
        self._pipeline = git.stream(words, objects, repository=repository)

    def count(self, on_progress: Callable[[Tally], None], stop: Stop | None) -> Tally:
        """``on_progress`` is called with the totals so far, some hundred times a second, and may raise.

        Raises:
            HistoryError: 'corrupt', commits are missing or cannot be read.
            Interrupted: ``stop`` was set.
        """
        # Imported while git walks.
        from podium.history.commit_reader import CommitReader
        from podium.history.large_commit import LARGEST_COMMIT
        from podium.history.totals import Tally

        tally, splitter = Tally(), BatchSplitter(self._nonce, LARGEST_COMMIT)
        reader = CommitReader(self._nonce, self._digits)
        for piece in self._pipeline.output(stop):
            tally.add(*reader.read(*splitter.feed(piece)))
            on_progress(tally)
        tally.add(*reader.read(splitter.close()))
        on_progress(tally)
        return tally

    def close(self) -> None:
        self._pipeline.close()
