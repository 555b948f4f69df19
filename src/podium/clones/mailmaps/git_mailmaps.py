"""The mailmaps that git's settings ``mailmap.blob`` and ``mailmap.file`` name, for a repository at a path.

As in git: a missing one is none; a relative path begins at the top of the work tree, or in a bare repository; of a bare
repository, ``mailmap.blob`` replaces the ``.mailmap`` of HEAD.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path

from podium.clones.mailmaps.mailmap import LARGEST_MAILMAP, MOST_LINES, too_large
from podium.git.command import Git
from podium.git.limits import Stop


@dataclass(frozen=True, slots=True)
class GitMailmaps:
    """What git's settings name.

    Attributes:
        has_blob: whether ``mailmap.blob`` is set, if only to a blob that is missing.
        lines: of the file.
        notes: why something is not applied.
    """

    has_blob: bool
    blob: str | None
    lines: bytes
    notes: tuple[str, ...]


def git_mailmaps(git: Git, repository: Path, top: Path, *, stop: Stop | None = None) -> GitMailmaps:
    """Read the settings; ``top`` is the folder where a relative path begins.

    Raises:
        HistoryError: git cannot read its settings.
        Interrupted: ``stop`` was set.
    """
    settings = _settings(git, repository, stop)
    blob = lines = why_no_blob = why_no_lines = None
    if name := settings.get("mailmap.blob"):
        blob, why_no_blob = _blob(git, repository, name, stop)
    if path := settings.get("mailmap.file"):
        lines, why_no_lines = _lines(top / path)
    notes = tuple(note for note in (why_no_blob, why_no_lines) if note)
    return GitMailmaps("mailmap.blob" in settings, blob, lines or b"", notes)


def _settings(git: Git, repository: Path, stop: Stop | None) -> dict[str, str]:
    words = ("config", "--null", "--type=path", "--get-regexp", r"^mailmap\.(file|blob)$")
    values: dict[str, list[str]] = {}
    for item in git.read(*words, repository=repository, stop=stop).split(b"\0")[:-1]:
        name, _, value = item.partition(b"\n")
        values.setdefault(name.decode(), []).append(value.decode(errors="surrogateescape"))
    # The last value is Podium's, which hides the settings from every other command.
    return {name: several[-2] for name, several in values.items() if len(several) > 1}


def _blob(git: Git, repository: Path, name: str, stop: Stop | None) -> tuple[str | None, str | None]:
    stdin = name.encode(errors="surrogateescape") + b"\n"
    answer = git.run("cat-file", "--batch-check", repository=repository, stdin=stdin, stop=stop)
    if answer.code != 0:
        # It would have to be fetched.
        return None, "This clone was made without the file of git's setting mailmap.blob, so it is not applied."
    found = answer.output.decode("utf-8", "replace").splitlines()[:1]
    words = found[0].split(" ") if found else []
    if len(words) != 3 or words[1] not in ("blob", "tree", "commit", "tag"):
        return None, None
    if words[1] != "blob":
        return None, "git's setting mailmap.blob names no file, so it is not applied."
    note = too_large(git, repository, words[0], subject="The mailmap of git's setting mailmap.blob", stop=stop)
    return (None, note) if note else (words[0], None)


def _lines(path: Path) -> tuple[bytes | None, str | None]:
    subject = "The mailmap of git's setting mailmap.file"
    try:
        if not path.is_file() and path.exists():
            return None, f"{subject} is not a regular file, so it is not applied."
        with path.open("rb") as opened:
            content = opened.read(LARGEST_MAILMAP + 1)
    except OSError as error:
        is_missing = error.errno in (errno.ENOENT, errno.ENOTDIR)
        return None, None if is_missing else f"{subject} cannot be read ({error.strerror}), so it is not applied."
    except ValueError:
        return None, f"{subject} cannot be read, so it is not applied."
    if len(content) > LARGEST_MAILMAP or content.count(b"\n") > MOST_LINES:
        return None, f"{subject} is larger than 4 MiB or {MOST_LINES:,} lines and is not applied."
    return (content if content.endswith(b"\n") or not content else content + b"\n"), None
