from __future__ import annotations

from pathlib import Path

from podium.clones.mailmap import find_mailmap, missing, too_large
from podium.clones.remote import Remote
from podium.errors import HistoryError
from podium.git.command import Git
from podium.git.limits import Stop

# Errors of the mirror or the disk, not of the mailmap.
_NOT_ABOUT_IT = ("corrupt", "not-a-repository", "disk-full")


def bring_mailmap(
    git: Git, repository: Path, remote: Remote, head: str, *, stop: Stop | None
) -> tuple[str | None, str | None]:
    """Fetch the mailmap of ``head``; return its blob, or a note why there is none.

    Raises:
        HistoryError: a transient fault; without the mailmap the board would split people.
        Interrupted: ``stop`` was set.
    """
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
