"""Count commits with ``git rev-list | git cat-file --batch``, which holds for every repository that git reads."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from podium.git.command import Git
from podium.git.limits import Stop
from podium.history.cat_file import BatchSplitter, new_nonce
from podium.history.commit_reader import CommitReader
from podium.history.totals import Tally


def count(
    git: Git, repository: Path, head: str, *, since: str | None, on_progress: Callable[[int], None], stop: Stop | None
) -> Tally:
    """Count the commits that ``head`` reaches and ``since`` does not; both are full oids.

    ``on_progress`` is called with the number of commits so far, some hundred times a second, and may raise.

    Raises:
        HistoryError: 'corrupt', commits are missing or cannot be read.
        Interrupted: ``stop`` was set.
    """
    nonce = new_nonce()
    walk = ["rev-list", "--end-of-options", head, *([f"^{since}"] if since else [])]
    objects = ["cat-file", f"--batch={nonce.decode()} %(objectname) %(objectsize)", "--buffer"]
    tally, splitter, reader = Tally(), BatchSplitter(nonce), CommitReader(nonce, len(head))
    with contextlib.closing(git.stream(walk, objects, repository=repository, stop=stop)) as pieces:
        for piece in pieces:
            tally.add(*reader.read(splitter.feed(piece)))
            on_progress(tally.total_commits)
    tally.add(*reader.read(splitter.close()))
    on_progress(tally.total_commits)
    return tally
