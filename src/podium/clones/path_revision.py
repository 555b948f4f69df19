"""What ``--rev`` names in a repository on this machine: a commit, or a range ``A..B`` (gitrevisions(7))."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from podium.errors import HistoryError
from podium.git.command import Git
from podium.git.limits import Stop

# Characters. A key of the database holds it.
LONGEST_REVISION = 500

_PAIR = re.compile(r"(?:\^(?P<base>\S+) +(?P<head>[^\s^]\S*)|(?P<head2>[^\s^]\S*) +(?:--not +|\^)(?P<base2>\S+))")
# Older versions of git call it a SHA1.
_AMBIGUOUS = re.compile(rb"short (?:object ID|SHA1) ([0-9a-f]+) is ambiguous", re.IGNORECASE)
_NOT_PARENT = re.compile(r"(?P<commit>.+)\^-(?P<parent>[0-9]*)")


@dataclass(frozen=True, slots=True)
class PathRevision:
    """The commits that ``head`` reaches and ``base`` does not (full oids); without a base all that ``head`` reaches."""

    head: str
    base: str | None = None


def find_commit(git: Git, repository: Path, revision: str, *, stop: Stop | None = None) -> str | None:
    """Return the oid of the commit that one revision names; None if it names none.

    Raises:
        Interrupted: ``stop`` was set.
    """
    if revision.startswith(":/"):
        # All that follows is the text to search for.
        revision = _verify(git, repository, revision, stop) or revision
    return _verify(git, repository, f"{revision}^{{commit}}", stop)


def find_revision(git: Git, repository: Path, revision: str, *, stop: Stop | None = None) -> PathRevision:
    """Find the commits of ``--rev``; as git does, read ``A..B`` as a range if both sides are commits.

    Raises:
        HistoryError: 'bad-rev', it names no commit, or several; the message says what to type. Another code: the
            refs cannot be read.
        Interrupted: ``stop`` was set.
    """
    if len(revision) > LONGEST_REVISION:
        raise _refused(f"it is longer than {LONGEST_REVISION} characters: name the commit by its id.")
    sides = _sides(revision)
    if sides is not None:
        base, head = (find_commit(git, repository, side, stop=stop) for side in sides)
        if base and head:
            return PathRevision(head, base)
    commit = find_commit(git, repository, revision, stop=stop)
    if commit:
        return PathRevision(commit)
    if (reason := _no_single_history(revision)) is not None:
        raise _refused(reason)
    for side in sides or (revision,):
        if not find_commit(git, repository, side, stop=stop):
            raise _refused(_no_commit(git, repository, side, stop))
    raise _refused(_no_commit(git, repository, revision, stop))


def _sides(revision: str) -> tuple[str, str] | None:
    """A and B of ``A..B``; a missing one is HEAD."""
    base, dots, head = revision.partition("..")
    if not dots or head.startswith(".") or not (base or head):
        return None
    return base or "HEAD", head or "HEAD"


def _verify(git: Git, repository: Path, revision: str, stop: Stop | None) -> str | None:
    answer = git.run("rev-parse", "--verify", "--end-of-options", revision, repository=repository, stop=stop)
    # rev-parse accepts `^v1`, and prints an excluded revision.
    oid = answer.output.decode("utf-8", "replace").strip()
    return oid if answer.code == 0 and oid.isalnum() else None


def _refused(reason: str) -> HistoryError:
    return HistoryError("bad-rev", f"--rev: {reason}")


def _no_single_history(revision: str) -> str | None:
    """Why a set of commits that git can write is not a board, and what to type; None if it is not such a set."""
    from podium.git.error_messages import clean

    shown = clean(revision)
    if not shown:
        return "it is empty: name a branch, a tag or a commit, or leave it out to count HEAD."
    if pair := _PAIR.fullmatch(revision):
        base, head = pair["base"] or pair["base2"], pair["head"] or pair["head2"]
        return f"a range is one word: type --rev {clean(base)}..{clean(head)}"
    if (reason := _other_set(revision)) is not None:
        return f"{shown} {reason}"
    if revision.startswith("-"):
        return f"{shown} is not a commit, and a board counts what one commit reaches: name one, such as --rev HEAD."
    if len(revision.split()) > 1:
        return (
            f"{shown} is more than one word, and a board counts what one commit reaches: name one, or a range A..B "
            "without spaces."
        )
    return None


def _other_set(revision: str) -> str | None:
    from podium.git.error_messages import clean

    base, dots, head = revision.partition("...")
    if dots:
        base, head = clean(base) or "HEAD", clean(head) or "HEAD"
        return (
            "are the commits that only one of its sides reaches: two histories, of which a board counts one. Type "
            f"--rev {base}..{head} for what {head} adds, or --rev {head}..{base} for the other side."
        )
    if revision.startswith("^"):
        base = clean(revision.removeprefix("^")) or "A"
        return f"only leaves commits out: type --rev {base}..HEAD for the commits of HEAD without them."
    if revision.endswith("^@"):
        return f"are all parents of a commit: name one, such as --rev {clean(revision[:-2])}^1."
    if revision.endswith("^!"):
        commit = clean(revision[:-2])
        return f"is one commit without its history: type --rev {commit}^..{commit} for what it added."
    if parts := _NOT_PARENT.fullmatch(revision):
        commit = clean(parts["commit"])
        return f"is a range: type --rev {commit}^{parts['parent']}..{commit}"
    return None


def _no_commit(git: Git, repository: Path, revision: str, stop: Stop | None) -> str:
    from podium.git.error_messages import clean

    # rev-parse accepts every full oid.
    oid = _verify(git, repository, revision, stop)
    if oid is not None and (found := git.run("cat-file", "-t", oid, repository=repository, stop=stop)).code == 0:
        kind = found.output.decode(errors="replace").strip()
        return f"{clean(revision)} is a {kind}, not a commit: name a branch, a tag or a commit."
    if beginning := _ambiguous(git, repository, revision, stop):
        return f"several objects of this repository have an id that begins with {beginning}: add digits of the one."
    near = _similar(git, repository, revision, stop)
    there = f" (there is {clean(near)})" if near else ""
    return (
        f"no branch, tag or commit of this repository is called {clean(revision)}{there}: `git branch --all` and "
        "`git tag` list them, and `git fetch --tags` may bring it."
    )


def _ambiguous(git: Git, repository: Path, revision: str, stop: Stop | None) -> str | None:
    """The beginning of an id in ``revision`` that several objects share."""
    answer = git.run("rev-parse", "--verify", "--end-of-options", revision, repository=repository, stop=stop)
    found = _AMBIGUOUS.search(answer.errors) if answer.code != 0 else None
    return found[1].decode() if found else None


def _similar(git: Git, repository: Path, revision: str, stop: Stop | None) -> str | None:
    from podium.repositories.revision import MOST_SIMILAR, similar

    for kinds in (("refs/heads", "refs/tags"), ("refs/remotes",)):
        words = ("for-each-ref", f"--count={MOST_SIMILAR}", "--format=%(refname:lstrip=2)", *kinds)
        names = git.read(*words, repository=repository, stop=stop).decode("utf-8", "replace").splitlines()
        if found := similar(revision, names):
            return found
    return None
