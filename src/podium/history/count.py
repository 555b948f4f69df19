"""Which way a history is counted: the one place where that is decided.

Every way gives the same totals. The fast ones hold for some repositories only: whether they do is looked at before, and
proved after. What cannot be proved is counted again in the plain way.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from pathlib import Path

from podium.errors import HistoryError
from podium.git.command import Git
from podium.git.limits import Stop
from podium.history import at_rest, rev_list
from podium.history.gc_pause import paused
from podium.history.incoming_pack import Follower
from podium.history.packfile.reader import BadPack
from podium.history.survey import survey
from podium.history.totals import Tally

notes = logging.getLogger("podium.notes")

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REPORT_EVERY = 0.2

# Told how many commits were counted so far, and how many there are, about; None where nobody knows.
Progress = Callable[[int, int | None], None]


def count(
    git: Git,
    repository: Path,
    head: str,
    *,
    since: str | None = None,
    arrived: Follower | None = None,
    progress: Progress | None = None,
    most: int | None = None,
    before: int = 0,
    stop: Stop | None = None,
) -> Tally:
    """Count the commits that ``head`` reaches and ``since`` does not.

    Args:
        git: how git is run.
        repository: the git directory.
        head: a full object name.
        since: the full object name of a commit counted before, an ancestor of ``head`` (:func:`is_ancestor`).
        arrived: what was counted while ``head`` was fetched for the first time.
        progress: called about five times a second.
        most: the number of commits that are accepted.
        before: how many of them were counted up to ``since``.
        stop: ends the count when set.

    Raises:
        HistoryError: 'corrupt', commits are missing or cannot be read; 'too-large', more than ``most``.
        Interrupted: ``stop`` was set.
    """
    heard = Heard(progress, most, before)
    start = None if since is None else _sha(since)
    if start is None and arrived:
        if arrived.tally:
            heard.check(arrived.tally.total_commits)
            return arrived.tally
        _gave_way("What arrived could not be counted at once", arrived.fault)
    with paused():
        return _counted(git, repository, (start, _sha(head)), heard, stop)


def _counted(git: Git, repository: Path, span: tuple[str | None, str], heard: Heard, stop: Stop | None) -> Tally:
    start, head = span
    found = survey(git, repository, head, stop=stop) if start is None else None
    while found:
        try:
            tally = at_rest.count(git, found, head, on_progress=heard.about, stop=stop)
        except BadPack as error:
            _gave_way("Its packs could not be counted directly", error)
            found = found.with_others() if isinstance(error, at_rest.AnotherHistory) else None
        else:
            heard.check(tally.total_commits)
            return tally
    return rev_list.count(git, repository, head, since=start, on_progress=heard.check, stop=stop)


def _gave_way(what: str, why: object) -> None:
    notes.warning("%s (%s): counting in another way.", what, why)


def is_ancestor(git: Git, repository: Path, old: str, new: str, *, stop: Stop | None = None) -> bool:
    """Whether ``old`` is still there and ``new`` reaches it; both are full object names.

    Raises:
        Interrupted: ``stop`` was set.
    """
    words = ("merge-base", "--is-ancestor", "--end-of-options", _sha(old), _sha(new))
    return git.run(*words, repository=repository, stop=stop).code == 0


class Heard:
    """Tells of progress now and then, and ends a count of too many commits."""

    def __init__(self, tell: Progress | None, most: int | None, before: int = 0) -> None:
        self._tell = tell
        self._most = most
        self._before = before
        self._told = 0.0

    def about(self, commits: int, entries: int) -> None:
        """So many of the packs' entries were read, which are commits but for a few."""
        now = time.monotonic()
        if self._tell and now - self._told > _REPORT_EVERY:
            self._told = now
            self._tell(commits, entries)

    def check(self, commits: int) -> None:
        """So many commits were counted.

        Raises:
            HistoryError: 'too-large', that is more than are accepted.
        """
        if self._most is not None and self._before + commits > self._most:
            raise HistoryError(
                "too-large", f"The repository has more than the {self._most} commits allowed (PODIUM_MAX_COMMITS)."
            )
        now = time.monotonic()
        if self._tell and now - self._told > _REPORT_EVERY:
            self._told = now
            self._tell(commits, None)


def _sha(text: str) -> str:
    if not _SHA.fullmatch(text):
        raise ValueError("not a full object name")
    return text
