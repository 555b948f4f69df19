from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable
from pathlib import Path

from podium.git.command import Git
from podium.git.limits import Stop
from podium.history.commit import LATEST
from podium.history.count_limits import NO_LIMITS, CountLimits
from podium.history.totals import Tally
from podium.history.walks.gc_pause import gc_paused
from podium.history.walks.incoming_pack import IncomingPack
from podium.history.walks.rev_list import Walk

notes = logging.getLogger("podium.notes")

# A commit as git writes it.
_USUAL_COMMIT = re.compile(
    rb"tree [0-9a-f]{40,64}\n(?:parent [0-9a-f]{40,64}\n)*"
    rb"author [^\n]*\ncommitter [^\n<>]*<[^\n<>]*> ([0-9]{1,15}) [+-][0-9]{4}\n"
)
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def count(
    git: Git,
    repository: Path,
    head: str,
    *,
    since: str | None = None,
    base: str | None = None,
    incoming: IncomingPack | None = None,
    walk: Walk | None = None,
    on_progress: Callable[[Tally], None] = lambda _: None,
    limits: CountLimits = NO_LIMITS,
    before: int = 0,
    stop: Stop | None = None,
) -> Tally:
    """Count the commits that ``head`` reaches, and neither ``since`` nor ``base`` (full oids).

    Args:
        since: an ancestor of ``head`` (:func:`is_ancestor`).
        base: any commit.
        incoming: what was counted while ``head`` was fetched for the first time.
        walk: a walk over all of ``head`` without ``base``; closed afterwards.
        limits: for these commits with the ``before`` up to ``since``, and for their people.

    Raises:
        HistoryError: 'corrupt', commits are missing or cannot be read; 'too-large', ``limits`` are exceeded.
        Interrupted: ``stop`` was set.
    """

    def check(tally: Tally) -> None:
        limits.check(tally, commits_before=before)
        on_progress(tally)

    start = None if since is None else _oid(since)
    if start is None and incoming:
        if incoming.tally:
            limits.check(incoming.tally)
            return incoming.tally
        notes.warning("The clone could not be counted while it arrived (%s): git reads it again.", incoming.fault)
    if walk is None or start is not None:
        left_out = [_oid(oid) for oid in (since, base) if oid is not None]
        walk = Walk(git, repository, _oid(head), *left_out)
    with gc_paused(), contextlib.closing(walk):
        return walk.count(check, stop)


def is_ancestor(git: Git, repository: Path, old: str, new: str, *, stop: Stop | None = None) -> bool:
    """Whether ``old`` still exists and ``new`` reaches it (full oids).

    Raises:
        Interrupted: ``stop`` was set.
    """
    words = ("merge-base", "--is-ancestor", "--end-of-options", _oid(old), _oid(new))
    return git.run(*words, repository=repository, stop=stop).code == 0


def committed_at(
    git: Git, repository: Path, commit: str, *, content: bytes | None = None, stop: Stop | None = None
) -> int | None:
    """The time of a commit (full oid) by its committer's clock; None if git cannot read it, or no calendar has it.

    Args:
        content: of the commit, if it is known: git is asked only about an unusual one.

    Raises:
        Interrupted: ``stop`` was set.
    """
    if content is not None and (usual := _USUAL_COMMIT.match(content)):
        seconds = int(usual[1])
        return seconds if 0 < seconds <= LATEST else None
    answer = git.run("rev-list", "--no-walk", "--timestamp", _oid(commit), repository=repository, stop=stop)
    when = answer.output.partition(b" ")[0]
    # git prints 0 for a date that it cannot read.
    seconds = int(when) if answer.code == 0 and when.isdigit() and len(when) < 20 else 0
    return seconds if 0 < seconds <= LATEST else None


def _oid(text: str) -> str:
    if not _OID.fullmatch(text):
        raise ValueError("not a full oid")
    return text
