"""The fast way over a treeless clone: its packs read by several processes, and what was read proved to be a history.

No object is looked up and no commit walked to, so it holds only where nearly everything in the packs is a commit of the
history that is counted. Whether that may be so is looked at first (:func:`readable_packs`), and proved at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from podium.history.git import Git
from podium.history.helpers import helping
from podium.history.limits import Stop, Watch
from podium.history.packfiles import opened
from podium.history.packs import BLOB, COMMIT, TREE, BadPack
from podium.history.parts import Parts, Queue
from podium.history.proof import Proof
from podium.history.reading import Reading
from podium.history.tally import Tally

_LOOKED_AT = 64
_MOST_REFS = 8


def readable_packs(git: Git, repository: Path, head: str, *, stop: Stop | None) -> list[Path] | None:
    """The packs of a repository that may hold the history of ``head`` and nothing else; None where others do.

    Raises:
        Interrupted: ``stop`` was set.
    """
    objects = repository / "objects"
    if (objects / "info" / "alternates").exists() or any(objects.glob("[0-9a-f][0-9a-f]/*")):
        return None
    paths = sorted(objects.glob("pack/*.pack"))
    if not paths or not _mostly_commits(paths, len(head) // 2):
        return None
    words = ("for-each-ref", f"--count={_MOST_REFS}", "--format=%(objectname)")
    named = git.run(*words, repository=repository, stop=stop).output.decode("ascii", "replace").split()
    return paths if len(named) < _MOST_REFS and set(named) == {head} else None


def _mostly_commits(paths: list[Path], digest_size: int) -> bool:
    try:
        with opened(paths, digest_size) as packs:
            largest = max(packs, key=lambda pack: pack.entries)
            kinds = largest.some_kinds(_LOOKED_AT)
    except BadPack:
        return False
    return kinds.count(COMMIT) > 9 * (kinds.count(TREE) + kinds.count(BLOB))


def count(
    git: Git, packs: list[Path], head: str, *, on_progress: Callable[[int, int], None], stop: Stop | None
) -> Tally:
    """Count all commits in ``packs``, which must be exactly those that ``head`` reaches.

    ``on_progress`` is called with the number of commits so far, about, and of all, and may raise.

    Raises:
        BadPack: they are not, or cannot be read this way.
        HistoryError: it took longer than the limits allow.
        Interrupted: ``stop`` was set.
    """
    watch = Watch(git.limits, stop)
    reading, proof = Reading(len(head)), Proof()
    with opened(packs, len(head) // 2) as files, Queue(files) as queue:
        entries = sum(file.entries for file in files)

        def tell() -> None:
            watch.check()
            on_progress(entries - entries * queue.left() // queue.parts, entries)

        with helping(len(head), packs, queue, proof.add, git.limits.memory) as helpers:
            parts = Parts(queue.source, files, reading, tell)
            for seen in parts:
                proof.add(*seen)
                for helper in helpers:
                    helper.hear()
            told = [helper.hear_out(watch.check) for helper in helpers]
    for each in told:
        if each.counted:
            reading.tally.merge(*each.counted)
    if parts.entries + sum(each.entries for each in told) != entries:
        raise BadPack("one holds another number of objects than it says")
    fault = proof.fault(head, bogus=reading.bogus + sum(each.bogus for each in told))
    if fault:
        raise BadPack(fault)
    return reading.tally
