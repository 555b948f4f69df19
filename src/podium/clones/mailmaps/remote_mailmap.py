from __future__ import annotations

from pathlib import Path

from podium.clones.mailmaps.mailmap import find_mailmap, missing, too_large
from podium.clones.remote import Remote
from podium.clones.remote_tree import may_have
from podium.errors import HistoryError
from podium.git.command import Git
from podium.git.limits import Stop

_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
# Errors of the mirror or the disk, not of the mailmap.
_NOT_ABOUT_IT = ("corrupt", "not-a-repository", "disk-full")


def bring_mailmap(
    git: Git, repository: Path, remote: Remote, head: str, *, commit: bytes | None = None, stop: Stop | None
) -> tuple[str | None, str | None]:
    """Fetch the mailmap of ``head``; return its blob, or a note why there is none.

    Args:
        commit: the content of ``head``, if it is known and was fetched without trees.

    Raises:
        HistoryError: a transient fault; without the mailmap the board would split people.
        Interrupted: ``stop`` was set.
    """
    if commit is not None and _is_without_mailmap(remote, commit):
        return None, None
    try:
        for tree in missing(git, repository, head, depth=1, stop=stop):
            remote.fetch_object(tree, repository)
        blob = find_mailmap(git, repository, head, stop=stop)
        if blob is None:
            return None, None
        if blob in missing(git, repository, head, depth=2, stop=stop):
            remote.fetch_object(blob, repository)
        why = too_large(git, repository, blob, stop=stop)
    except HistoryError as error:
        if error.transient or error.code in _NOT_ABOUT_IT:
            raise
        return None, f"The .mailmap could not be fetched and is not applied: {error.message}"
    return (None, why) if why else (blob, None)


def _is_without_mailmap(remote: Remote, commit: bytes) -> bool:
    """Whether a commit certainly has none, as most small repositories."""
    oid = commit[5:45].decode("ascii", "replace")
    if not (commit.startswith(b"tree ") and commit[45:46] == b"\n"):
        return False
    if oid == _EMPTY_TREE:
        return True
    tree = remote.read_tree(oid)
    return tree is not None and not may_have(tree, b".mailmap")
