"""What of a repository is read directly, and how: looked at before anything is counted.

git writes a pack's commits one behind the other, before its trees and files. So a look at an entry here and there says
which parts of a pack hold commits.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from podium.git.command import Git
from podium.git.limits import Stop
from podium.history.packfile.reader import BadPack
from podium.history.packfiles import opened

# Objects that make a part: about ten milliseconds of reading.
_OBJECTS_IN_A_PART = 1500
# As many as fit into the pipe from which they are taken.
_MOST_PARTS = 3000
# Commits whose facts are kept in memory until it is known which of them count, a third of a kilobyte each.
_MOST_WAITING = 400_000
# Objects that have a file each, from which on git would pack them.
_MOST_LOOSE = 8_000
# Bytes of names from which on a repository is one of those that keep every proposal ever made: three in four of their
# commits may belong to no branch, and walking is faster than reading them all.
_MOST_NAMED = 256 << 10
_MOST_REFS = 8


class Survey(NamedTuple):
    """What is read of a repository.

    Attributes:
        objects: its folder of objects.
        packs: its packs.
        parts: of them, those that hold commits: (number of the pack, begin, end).
        entries: how many entries are in those parts, about.
        whole: nothing but the history that is counted is there, as it seems: it is counted as it is read, and must
            prove to be that. Else what was read waits until it is known which of it the head reaches.
    """

    objects: Path
    packs: list[Path]
    parts: list[tuple[int, int, int]]
    entries: int
    whole: bool

    def with_others(self) -> Survey | None:
        """The same, of which the head may reach some; None where that would be too much to remember."""
        return self._replace(whole=False) if self.entries <= _MOST_WAITING else None


def survey(git: Git, repository: Path, head: str, *, stop: Stop | None) -> Survey | None:
    """Look at a repository; None where only git should read it.

    Raises:
        Interrupted: ``stop`` was set.
    """
    objects = repository / "objects"
    if (
        not objects.is_dir()
        or (objects / "info" / "alternates").exists()
        or _loose(objects) > _MOST_LOOSE
        or _size(repository / "packed-refs") > _MOST_NAMED
    ):
        return None
    try:
        everything, commits = _looked_at(objects, len(head) // 2)
    except BadPack:
        return None
    # A mailmap, the tree that names it, a few tags: what is read in vain beside a whole history.
    mostly = everything.entries > 0 and commits.entries * 20 >= everything.entries * 19
    if mostly and _only_name(git, repository, head, stop):
        return everything
    return commits if commits.entries <= _MOST_WAITING else None


def everything(objects: Path, digits: int) -> Survey:
    """All of the packs, taken for one whole history.

    Raises:
        BadPack: one of them, or its index, cannot be read.
    """
    return _looked_at(objects, digits // 2)[0]


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _loose(objects: Path) -> int:
    """How many objects have a file each, about: their names are hashes, so one folder of 256 tells."""
    try:
        return 256 * sum(1 for _ in (objects / "17").iterdir())
    except FileNotFoundError:
        return 0


def _looked_at(objects: Path, digest_size: int) -> tuple[Survey, Survey]:
    """All parts of all packs, and those of them that hold commits."""
    paths = sorted(objects.glob("pack/*.pack"))
    everywhere: list[tuple[int, int, int]] = []
    chosen: list[tuple[int, int, int]] = []
    with_commits = 0
    with opened(paths, digest_size) as packs:
        entries = sum(pack.entries for pack in packs)
        size = max(_OBJECTS_IN_A_PART, entries * 2 // _MOST_PARTS)
        for number, pack in enumerate(packs):
            parts = pack.parts(max(1, pack.entries // size))
            with_some = pack.commit_parts(parts)
            with_commits += pack.entries * len(with_some) // len(parts)
            everywhere += [(number, *part) for part in parts]
            chosen += [(number, *part) for part in with_some]
    if len(everywhere) > _MOST_PARTS:
        raise BadPack("there are too many of them")
    return (
        Survey(objects, paths, everywhere, entries, whole=True),
        Survey(objects, paths, chosen, with_commits, whole=False),
    )


def _only_name(git: Git, repository: Path, head: str, stop: Stop | None) -> bool:
    words = ("for-each-ref", f"--count={_MOST_REFS}", "--format=%(objectname)")
    named = git.run(*words, repository=repository, stop=stop).output.decode("ascii", "replace").split()
    return len(named) < _MOST_REFS and set(named) == {head}
