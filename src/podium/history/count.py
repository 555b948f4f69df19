from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable
from pathlib import Path

from podium.errors import HistoryError
from podium.git.command import Git
from podium.git.limits import Stop
from podium.history.gc_pause import gc_paused
from podium.history.incoming_pack import IncomingPack
from podium.history.rev_list import Walk
from podium.history.totals import Tally

notes = logging.getLogger("podium.notes")

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def count(
    git: Git,
    repository: Path,
    head: str,
    *,
    since: str | None = None,
    incoming: IncomingPack | None = None,
    walk: Walk | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
    most: int | None = None,
    before: int = 0,
    stop: Stop | None = None,
) -> Tally:
    """Count the commits that ``head`` reaches and ``since`` does not (full oids).

    Args:
        since: an ancestor of ``head`` (:func:`is_ancestor`).
        incoming: what was counted while ``head`` was fetched for the first time.
        walk: a walk over all of ``head``; closed afterwards.
        most: the number of commits that are accepted, with the ``before`` up to ``since``.

    Raises:
        HistoryError: 'corrupt', commits are missing or cannot be read; 'too-large', more than ``most``.
        Interrupted: ``stop`` was set.
    """

    def check(commits: int) -> None:
        check_limit(before + commits, most)
        on_progress(commits)

    start = None if since is None else _oid(since)
    if start is None and incoming:
        if incoming.tally:
            check_limit(incoming.tally.total_commits, most)
            return incoming.tally
        notes.warning("The clone could not be counted while it arrived (%s): git reads it again.", incoming.fault)
    if walk is None or start is not None:
        walk = Walk(git, repository, _oid(head), start)
    with gc_paused(), contextlib.closing(walk):
        return walk.count(check, stop)


def check_limit(commits: int, most: int | None) -> None:
    """Check the number of commits.

    Raises:
        HistoryError: 'too-large', more than ``most``.
    """
    if most is not None and commits > most:
        raise HistoryError(
            "too-large", f"The repository has more than the {most} commits allowed (PODIUM_MAX_COMMITS)."
        )


def is_ancestor(git: Git, repository: Path, old: str, new: str, *, stop: Stop | None = None) -> bool:
    """Whether ``old`` still exists and ``new`` reaches it (full oids).

    Raises:
        Interrupted: ``stop`` was set.
    """
    words = ("merge-base", "--is-ancestor", "--end-of-options", _oid(old), _oid(new))
    return git.run(*words, repository=repository, stop=stop).code == 0


def _oid(text: str) -> str:
    if not _OID.fullmatch(text):
        raise ValueError("not a full oid")
    return text
