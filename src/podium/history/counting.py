"""The one pass over the commits: ``git rev-list | git cat-file --batch``, read while they flow."""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from podium.errors import HistoryError
from podium.history.batch import BatchReader
from podium.history.commits import CommitReader
from podium.history.git import Git
from podium.history.limits import Stop
from podium.history.tally import Tally

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REPORT_EVERY = 0.2


def count(
    git: Git,
    repository: Path,
    head: str,
    *,
    since: str | None = None,
    progress: Callable[[int], None] | None = None,
    most: int | None = None,
    stop: Stop | None = None,
) -> Tally:
    """Count the commits that ``head`` reaches and ``since`` does not.

    Args:
        git: how git is run.
        repository: the git directory.
        head: a full object name.
        since: the full object name of a commit counted before, an ancestor of ``head`` (:func:`is_ancestor`).
        progress: called with the number of commits so far, about five times a second.
        most: the number of commits that are accepted.
        stop: ends the count when set.

    Raises:
        HistoryError: 'corrupt', commits are missing or cannot be read; 'too-large', more than ``most``.
        Interrupted: ``stop`` was set.
    """
    nonce = secrets.token_hex(16)
    walk = ["rev-list", "--end-of-options", _sha(head), *([f"^{_sha(since)}"] if since else [])]
    objects = ["cat-file", f"--batch={nonce} %(objectname) %(objectsize)", "--buffer"]
    tally, batch, read = Tally(), BatchReader(nonce), CommitReader().read
    reported = 0.0
    with contextlib.closing(git.stream(walk, objects, repository=repository, stop=stop)) as chunks:
        for chunk in chunks:
            for sha, raw in batch.feed(chunk):
                tally.add(sha, read(raw))
            _check_size(tally, most)
            if progress and (now := time.monotonic()) - reported > _REPORT_EVERY:
                reported = now
                progress(tally.total_commits)
        for sha, raw in batch.close():
            tally.add(sha, read(raw))
    _check_size(tally, most)
    return tally


def is_ancestor(git: Git, repository: Path, old: str, new: str, *, stop: Stop | None = None) -> bool:
    """Whether ``old`` is still there and ``new`` reaches it; both are full object names.

    Raises:
        Interrupted: ``stop`` was set.
    """
    words = ("merge-base", "--is-ancestor", "--end-of-options", _sha(old), _sha(new))
    return git.run(*words, repository=repository, stop=stop).code == 0


def _check_size(tally: Tally, most: int | None) -> None:
    if most is not None and tally.total_commits > most:
        raise HistoryError(
            "too-large", f"The repository has more than the {most} commits allowed (PODIUM_MAX_COMMITS)."
        )


def _sha(text: str) -> str:
    if not _SHA.fullmatch(text):
        raise ValueError("not a full object name")
    return text
