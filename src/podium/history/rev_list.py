"""The plain way, which holds for any repository: ``git rev-list | git cat-file --batch``, read while they flow."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from pathlib import Path

from podium.git.command import Git
from podium.git.limits import Stop
from podium.history.cat_file import BatchReader
from podium.history.commit import CommitReader
from podium.history.totals import Tally


def count(
    git: Git, repository: Path, head: str, *, since: str | None, on_progress: Callable[[int], None], stop: Stop | None
) -> Tally:
    """Count the commits that ``head`` reaches and ``since`` does not; both are full object names.

    ``on_progress`` is called with the number of commits so far, some hundred times a second, and may raise.

    Raises:
        HistoryError: 'corrupt', commits are missing or cannot be read.
        Interrupted: ``stop`` was set.
    """
    nonce = secrets.token_hex(16)
    walk = ["rev-list", "--end-of-options", head, *([f"^{since}"] if since else [])]
    objects = ["cat-file", f"--batch={nonce} %(objectname) %(objectsize)", "--buffer"]
    tally, batch, reader = Tally(), BatchReader(nonce), CommitReader(len(head))
    with contextlib.closing(git.stream(walk, objects, repository=repository, stop=stop)) as chunks:
        for chunk in chunks:
            _add(tally, reader, list(batch.feed(chunk)))
            on_progress(tally.total_commits)
        _add(tally, reader, list(batch.close()))
    on_progress(tally.total_commits)
    return tally


def _add(tally: Tally, reader: CommitReader, found: list[tuple[bytes, bytes]]) -> None:
    tally.add((sha for sha, _ in found), reader.read_all([raw for _, raw in found]))
