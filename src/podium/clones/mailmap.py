"""Apply a ``.mailmap`` to identities (``git check-mailmap``, https://git-scm.com/docs/gitmailmap).

Rows with one mapped e-mail are one person, unless the mailmap gives that e-mail to two names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from podium.errors import HistoryError
from podium.git.command import Git
from podium.git.error_messages import translate
from podium.git.limits import Stop
from podium.textutil.raw_bytes import from_bytes, to_bytes

_LARGEST = 4 << 20
# git inserts each line into a sorted array: twice the lines take four times the time. Real ones have a few thousand.
_MOST_LINES = 20_000
_SHORTEST_LINE = len("a<b>\n")

Pair = tuple[str, str]

_SWAP_CASE = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
# Text that check-mailmap reads back as the same pair.
_NAME = re.compile(r"(?:[^<\n\0]*[^<\n\0 \t\r])?")
_EMAIL = re.compile(r"[^>\n\0]*")


@dataclass(frozen=True, slots=True)
class Identity:
    """``email`` is in lower case. The rows of one person share ``key``."""

    email: str
    name: str
    key: str


def find_mailmap(git: Git, repository: Path, tree: str, *, stop: Stop | None = None) -> str | None:
    """The blob of the ``.mailmap`` in the root of ``tree`` (a tree or commit), if it is a regular file."""
    words = ("ls-tree", "--full-tree", "--end-of-options", tree, ".mailmap")
    mode, _, rest = git.read(*words, repository=repository, stop=stop).decode("utf-8", "replace").partition(" ")
    kind, _, rest = rest.partition(" ")
    return rest.partition("\t")[0] if mode.startswith("100") and kind == "blob" else None


def object_size(git: Git, repository: Path, sha: str, *, stop: Stop | None = None) -> int | None:
    """Bytes; None if it is missing (call :func:`missing` before)."""
    words = ("cat-file", "--batch-check=%(objectsize)")
    size = git.run(*words, repository=repository, stdin=sha.encode() + b"\n", stop=stop).output.strip()
    return int(size) if size.isdigit() else None


def too_large(git: Git, repository: Path, blob: str, *, stop: Stop | None = None) -> str | None:
    """Why the mailmap ``blob`` is not applied; None if it is small enough."""
    size = object_size(git, repository, blob, stop=stop)
    if size is None or size > _LARGEST:
        return "The .mailmap is larger than 4 MiB and is not applied."
    if size > _MOST_LINES * _SHORTEST_LINE:
        lines = git.read("cat-file", "blob", blob, repository=repository, stop=stop).count(b"\n")
        if lines > _MOST_LINES:
            return f"The .mailmap has more than {_MOST_LINES:,} lines and is not applied."
    return None


def missing(git: Git, repository: Path, head: str, *, depth: int, stop: Stop | None = None) -> set[str]:
    """The objects that a partial clone lacks of ``head``: its root tree (``depth`` 1), also the entries in it (2).

    Any other question about a missing object makes git read every object to find who promised it.

    Raises:
        HistoryError: git cannot read the commit, or an object below it.
    """
    words = (
        *("rev-list", "--objects", "--no-walk", "--missing=print", f"--filter=tree:{depth}"),
        *("--end-of-options", head),
    )
    lines = git.read(*words, repository=repository, stop=stop).decode("utf-8", "replace").split("\n")
    return {line[1:] for line in lines if line.startswith("?")}


def identities(
    git: Git, repository: Path, blob: str | None, pairs: Iterable[Pair], *, stop: Stop | None = None
) -> dict[Pair, Identity]:
    """Map each (name, e-mail in lower case) by the mailmap ``blob``, if there is one.

    Raises:
        HistoryError: git cannot read the mailmap.
        Interrupted: ``stop`` was set.
    """
    wanted = list(dict.fromkeys(pairs))
    if blob is None or not wanted:
        return {(name, email): Identity(email, name, email) for name, email in wanted}
    sent = [(name, email) for name, email in wanted if _NAME.fullmatch(name) and _EMAIL.fullmatch(email)]
    probes = [(_probe(name), email) for name, email in sent]
    answers = _ask(git, repository, blob, sent + probes, stop)
    mapped = dict(zip(sent, answers, strict=False))
    named = {
        pair for pair, probe, found in zip(sent, probes, answers[len(sent) :], strict=True) if found[0] != probe[0]
    }
    return _keyed({pair: mapped.get(pair, pair) for pair in wanted}, named)


def _keyed(mapped: dict[Pair, Pair], named: set[Pair]) -> dict[Pair, Identity]:
    names: dict[str, set[str]] = {}
    for pair in named:
        name, email = mapped[pair]
        names.setdefault(email, set()).add(name)
    found = {}
    for pair, (name, email) in mapped.items():
        shared = names.get(email, set())
        key = f"{name} <{email}>" if len(shared) > 1 and name in shared else email
        found[pair] = Identity(email, name, key)
    return found


def _probe(name: str) -> str:
    """A variant that git's case-insensitive lookup matches, but no entry can produce: if the answer differs, the
    mailmap set the name.
    """
    swapped = name.translate(_SWAP_CASE)
    return swapped if swapped != name else name + os.urandom(8).hex()


def _ask(git: Git, repository: Path, blob: str, pairs: list[Pair], stop: Stop | None) -> list[Pair]:
    lines = b"".join(b"%b <%b>\n" % (to_bytes(name), to_bytes(email)) for name, email in pairs)
    # git also reads the .mailmap of the work tree: this one is empty.
    import tempfile

    with tempfile.TemporaryDirectory(prefix="podium-") as empty:
        answer = git.run(
            "check-mailmap",
            "--stdin",
            repository=repository,
            folder=Path(empty),
            variables={"GIT_WORK_TREE": empty},
            configuration=(f"mailmap.blob={blob}",),
            stdin=lines,
            stop=stop,
        )
    answers = answer.output.split(b"\n")[:-1]
    # git only prints an error for an unreadable mailmap.
    if answer.code != 0 or len(answers) != len(pairs) or b"error:" in answer.errors:
        raise translate(answer.errors, "check-mailmap")
    return [_read(line) for line in answers]


def _read(line: bytes) -> Pair:
    name, opened, email = line.partition(b"<")
    if not opened or not email.endswith(b">"):
        raise HistoryError("git-failed", "git check-mailmap gave an answer that cannot be read.")
    return from_bytes(name.removesuffix(b" ")), from_bytes(email[:-1].lower())
