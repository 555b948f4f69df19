"""Find and check a repository on this machine. Nothing is written to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from podium.clones.mailmaps.git_mailmaps import git_mailmaps
from podium.clones.mailmaps.mailmap import Mailmaps, find_mailmap, missing, too_large
from podium.clones.path_revision import PathRevision, find_commit, find_revision
from podium.errors import HistoryError
from podium.git.command import Git
from podium.git.error_messages import translate
from podium.git.limits import Stop

# In a git directory there is no way up.
_PLACE = re.compile(r"(?P<git_dir>.*)\n(?P<shallow>true|false)\n(?P<bare>true|false)\n(?:(?P<up>.*)\n)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LocalRepository:
    """A repository on this machine.

    Attributes:
        path: the git directory, absolute, symbolic links resolved.
        branch: None for a revision.
        note: why an existing mailmap is not applied.
        base: the commit whose history a range leaves out; None: it is not a range.
    """

    path: Path
    head: str
    branch: str | None
    mailmaps: Mailmaps
    note: str | None
    base: str | None = None


def open_local(
    git: Git,
    path: Path,
    revision: str | None = None,
    *,
    stop: Stop | None = None,
    on_found: Callable[[Path, PathRevision], None] = lambda *_: None,
) -> LocalRepository:
    """Find the repository at or above ``path``.

    Args:
        on_found: called with the git directory and the commits as soon as they are known.

    Raises:
        HistoryError: 'not-a-repository', 'not-trusted', 'shallow', 'empty', 'no-default-branch', 'bad-rev', 'corrupt'.
        Interrupted: ``stop`` was set.
    """
    words = ("rev-parse", "--absolute-git-dir", "--is-shallow-repository", "--is-bare-repository", "--show-cdup")
    answer = git.run(*words, folder=path, stop=stop)
    if answer.code != 0:
        raise translate(answer.errors, "rev-parse", path)
    found = _PLACE.fullmatch(answer.output.decode(errors="surrogateescape"))
    if found is None:
        # Older versions of git print the options that they do not know.
        raise HistoryError("git-failed", "git rev-parse gave an answer that cannot be read.")
    repository = Path(found["git_dir"]).resolve()
    is_bare = found["bare"] == "true"
    top = repository if is_bare else path / (found["up"] or "")
    if found["shallow"] == "true":
        raise HistoryError("shallow", f"This is a shallow clone, without all of its history: {_how_to_deepen(git)}.")
    found_revision = _revision(git, repository, revision, stop)
    on_found(repository, found_revision)
    mailmaps, note = _mailmaps(git, repository, found_revision.head, top, is_bare=is_bare, stop=stop)
    return LocalRepository(
        path=repository,
        head=found_revision.head,
        branch=None if revision else git.line("symbolic-ref", "--quiet", "--short", "HEAD", repository=repository),
        mailmaps=mailmaps,
        note=note,
        base=found_revision.base,
    )


def _how_to_deepen(git: Git) -> str:
    # Runners make shallow clones unless the job says otherwise.
    if git.has_variable("GITHUB_ACTIONS"):
        return "give actions/checkout fetch-depth: 0"
    if git.has_variable("GITLAB_CI"):
        return 'set the variable GIT_DEPTH: 0 (as text, "0") in the job'
    return "run git fetch --unshallow in it first"


def _revision(git: Git, repository: Path, revision: str | None, stop: Stop | None) -> PathRevision:
    if revision is not None:
        return find_revision(git, repository, revision, stop=stop)
    head = find_commit(git, repository, "HEAD", stop=stop)
    if head is not None:
        return PathRevision(head)
    if (oid := git.line("rev-parse", "--verify", "--quiet", "HEAD", repository=repository)) is not None:
        errors = git.run("cat-file", "-t", oid, repository=repository, stop=stop).errors
        if b"alternate" in errors:
            raise translate(errors, "cat-file")
        raise HistoryError("corrupt", f"The repository is damaged: it lacks {oid}, the commit that HEAD names.")
    if git.line("symbolic-ref", "--quiet", "HEAD", repository=repository) is None:
        raise HistoryError("corrupt", "HEAD names no commit of this repository: say what to count with --rev.")
    # It also fails where the refs cannot be read.
    if not git.read("for-each-ref", "--count=1", "--format=%(refname)", repository=repository, stop=stop):
        raise HistoryError("empty", "This repository has no commits yet: there is nothing to count.")
    raise HistoryError("no-default-branch", "HEAD names a branch that has no commits: say what to count with --rev.")


def _mailmaps(
    git: Git, repository: Path, head: str, top: Path, *, is_bare: bool, stop: Stop | None
) -> tuple[Mailmaps, str | None]:
    found = git_mailmaps(git, repository, top, stop=stop)
    committed = note = None
    if not (is_bare and found.has_blob):
        committed, note = _mailmap(git, repository, head, stop)
    notes = " ".join(each for each in (note, *found.notes) if each)
    return Mailmaps(committed, found.blob, found.lines), notes or None


def _mailmap(git: Git, repository: Path, head: str, stop: Stop | None) -> tuple[str | None, str | None]:
    if missing(git, repository, head, depth=1, stop=stop):
        return None, "This clone was made without trees, so its .mailmap is not applied."
    blob = find_mailmap(git, repository, head, stop=stop)
    if blob is None:
        return None, None
    if blob in missing(git, repository, head, depth=2, stop=stop):
        return None, "This clone was made without files and has not fetched its .mailmap, so it is not applied."
    why = too_large(git, repository, blob, stop=stop)
    return (None, why) if why else (blob, None)
