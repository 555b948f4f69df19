"""The repositories that a benchmark reads: served on loopback as they are, and cloned from there in three ways."""

from __future__ import annotations

import dataclasses
import functools
import os
import subprocess
from pathlib import Path

from benchmarks import synthetic

# Nobody's configuration of git takes part.
ENVIRONMENT = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "LC_ALL": "C"}
TREELESS = ("clone", "--quiet", "--bare", "--filter=tree:0", "--single-branch", "--no-tags")
NEW_COMMITS = 100
# Refs of a mirror that keeps every proposal ever made.
MANY_REFS = 50_000


@dataclasses.dataclass(frozen=True)
class Subject:
    """One repository. ``url`` serves it whole, ``clone`` is a treeless one, ``moving`` may be set back and forth."""

    name: str
    url: str
    clone: Path
    moving: Path
    moving_url: str
    commits: int

    def shortlog(self, clone: Path | None = None) -> list[str]:
        """git's own count, of the treeless clone or another one."""
        return ["git", "-C", str(clone or self.clone), "-c", "mailmap.blob=", "shortlog", "-sne", "HEAD"]

    def clones(self) -> dict[str, Path]:
        """The kinds of clones that a path can name."""
        return {"treeless clone": self.clone, "work tree's clone": self.full, "mirror": self.mirror}

    @functools.cached_property
    def full(self) -> Path:
        """A clone with a work tree's git directory, all trees, branches and tags; nothing is checked out."""
        return self._cloned("full", "--no-checkout")

    @functools.cached_property
    def mirror(self) -> Path:
        """A mirror with at least MANY_REFS refs in ``packed-refs``."""
        mirror = self._cloned("mirror.git", "--mirror")
        commits = git(mirror, "rev-list", "--max-count=1000", "HEAD").split()
        there = len(git(mirror, "for-each-ref", "--format=x").split())
        refs = (f"create refs/benchmark/{n} {commits[n % len(commits)]}\n" for n in range(MANY_REFS - there))
        command = ["git", "-C", str(mirror), "update-ref", "--stdin"]
        subprocess.run(command, env=ENVIRONMENT, check=True, input="".join(refs), text=True)
        git(mirror, "pack-refs", "--all")
        return mirror

    def _cloned(self, kind: str, option: str) -> Path:
        """A clone beside the treeless one. Without the contents of files, which some copies at hand do not have."""
        target = self.clone.with_name(f"{self.name}-{kind}")
        words = ["git", "clone", "--quiet", option, "--filter=blob:none", self.url, str(target)]
        subprocess.run(words, env=ENVIRONMENT, check=True)
        return target

    def move(self, back: int) -> None:
        """Have ``moving`` end before its last ``back`` commits, about, or with them (0)."""
        new = git(self.clone, "rev-parse", "HEAD").strip()
        git(self.moving, "update-ref", "refs/heads/main", _before(self.clone, back) if back else new)


def git(repository: Path, *words: str) -> str:
    """What git says about a repository."""
    command = ["git", "-C", str(repository), *words]
    return subprocess.run(command, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE, text=True).stdout


def make_synthetic(folder: Path, commits: int) -> Path:
    """A repository of so many commits in ``folder``."""
    path = folder / f"synthetic-{commits:_}.git"
    synthetic.build(path, commits, max(commits // 20, 10))
    return path


def serve(path: Path, name: str, served: Path, base_url: str, work: Path) -> Subject:
    """Put the repository at ``path`` below ``served``, the folder of ``base_url``, and clone it into ``work``."""
    (served / f"{name}.git").symlink_to(path.absolute(), target_is_directory=True)
    url = f"{base_url}/{name}.git"
    clone = work / f"{name}-treeless.git"
    subprocess.run(["git", *TREELESS, url, str(clone)], env=ENVIRONMENT, check=True)
    # The objects are those of the repository that was named: nothing is copied, and nothing written into it.
    moving = served / f"{name}-moving.git"
    git(work, "init", "--quiet", "--bare", "--initial-branch=main", str(moving))
    objects = Path(git(path, "rev-parse", "--absolute-git-dir").strip()) / "objects"
    (moving / "objects" / "info" / "alternates").write_text(f"{objects}\n")
    commits = int(git(clone, "rev-list", "--count", "HEAD"))
    return Subject(name, url, clone, moving, f"{base_url}/{name}-moving.git", commits)


def _before(repository: Path, back: int) -> str:
    """The ancestor in the first line of parents whose descendants are ``back`` commits, or as few more as it can be."""
    line = git(repository, "rev-list", "--first-parent", f"--max-count={back + 1}", "HEAD").split()
    low, high = 0, len(line) - 1
    while low < high:
        middle = (low + high) // 2
        if int(git(repository, "rev-list", "--count", f"{line[middle]}..HEAD")) < back:
            low = middle + 1
        else:
            high = middle
    return line[low]
