from __future__ import annotations

import re
from pathlib import Path

from podium.clones.mailmaps.mailmap import find_mailmap, missing, too_large, too_many_lines
from podium.clones.remote import Remote
from podium.clones.upload_pack import tree_entry
from podium.errors import HistoryError
from podium.git.command import Git
from podium.git.limits import Stop

# The blob, and why an existing one is not applied.
Mailmap = tuple[str | None, str | None]

_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_TREE_OF = re.compile(rb"tree ([0-9a-f]{40})\n")
# Errors of the mirror or the disk, not of the mailmap.
_NOT_ABOUT_IT = ("corrupt", "not-a-repository", "disk-full")


def bring_mailmap(
    git: Git, repository: Path, remote: Remote, head: str, *, commit: bytes | None = None, stop: Stop | None
) -> Mailmap:
    """Fetch the mailmap of ``head``; return its blob, or a note why there is none.

    Args:
        commit: the content of ``head``, if it is known and was fetched without trees.

    Raises:
        HistoryError: a transient fault; without the mailmap the board would split people.
        Interrupted: ``stop`` was set.
    """
    try:
        known = _TREE_OF.match(commit) if commit is not None else None
        if known and (found := _first_mailmap(git, repository, remote, known[1].decode(), stop)) is not None:
            return found
        for tree in missing(git, repository, head, depth=1, stop=stop):
            remote.fetch_object("tree", tree, repository)
        blob = find_mailmap(git, repository, head, stop=stop)
        if blob is None:
            return None, None
        if blob in missing(git, repository, head, depth=2, stop=stop):
            remote.fetch_object("blob", blob, repository)
        why = too_large(git, repository, blob, stop=stop)
    except HistoryError as error:
        if error.transient or error.code in _NOT_ABOUT_IT:
            raise
        return None, f"The .mailmap could not be fetched and is not applied: {error.message}"
    return (None, why) if why else (blob, None)


def _first_mailmap(git: Git, repository: Path, remote: Remote, tree: str, stop: Stop | None) -> Mailmap | None:
    """Read a tree that the mirror lacks, and the mailmap in it; None if git must fetch them."""
    content = b"" if tree == _EMPTY_TREE else remote.read_object("tree", tree)
    try:
        entry = tree_entry(content, b".mailmap") if content is not None else (b"", "")
    except ValueError:
        return None
    if entry is None:
        return None, None
    lines = remote.read_object("blob", entry[1]) if entry[0].startswith(b"100") else None
    if lines is None:
        return None
    if why := too_many_lines(lines):
        return None, why
    git.read("hash-object", "-w", "--stdin", repository=repository, stdin=lines, stop=stop)
    return entry[1], None
