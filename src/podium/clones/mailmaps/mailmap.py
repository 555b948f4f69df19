"""Apply mailmaps to identities (``git check-mailmap``, https://git-scm.com/docs/gitmailmap).

Rows with one mapped e-mail are one person, unless the mailmap gives that e-mail to two names.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from podium.errors import HistoryError
from podium.git.command import Git
from podium.git.error_messages import translate
from podium.git.limits import Stop
from podium.textutil.raw_bytes import from_bytes, to_bytes

LARGEST_MAILMAP = 4 << 20
# git inserts each line into a sorted array: twice the lines take four times the time. Real ones have a few thousand.
MOST_LINES = 20_000
_FEW_BYTES = MOST_LINES * len("a<b>\n")

Pair = tuple[str, str]

_SWAP_CASE = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
# Text that check-mailmap reads back as the same pair.
_NAME = re.compile(r"(?:[^<\n\0]*[^<\n\0 \t\r])?")
_EMAIL = re.compile(r"[^>\n\0]*")


# A line that names a person by name and e-mail.
_BY_NAME = re.compile(rb"^(?!#)([^<\n]*)<[^>\n]+>([^<\n]*)<([^>\n]*)>", re.MULTILINE)
_HAS_ASCII_LETTER = re.compile("[A-Za-z]")


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """A person as the mailmaps name them.

    Attributes:
        email: in lower case.
        key: the rows of one person share it.
        source: "own" if the user's own mailmap names the person, else "repository", or "" if none does.
    """

    email: str
    name: str
    key: str
    source: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Mailmaps:
    """The mailmaps of a history, in git's order: where two name one person, the later one wins.

    Attributes:
        committed: the blob of the counted commit's ``.mailmap``.
        configured: the blob of git's setting ``mailmap.blob``.
        own: the lines of the user's own files.
    """

    committed: str | None = None
    configured: str | None = None
    own: bytes = b""

    @property
    def version(self) -> str:
        """A text that changes with each of them; '' if there is none."""
        if self.configured is None and not self.own:
            return self.committed or ""
        text = f"{self.committed} {self.configured} {hashlib.sha256(self.own).hexdigest()}"
        return hashlib.sha256(text.encode()).hexdigest()

    def with_own(self, lines: bytes) -> Mailmaps:
        return dataclasses.replace(self, own=self.own + lines)


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


def too_large(
    git: Git, repository: Path, blob: str, *, subject: str = "The .mailmap", stop: Stop | None = None
) -> str | None:
    """Why the mailmap ``blob`` is not applied; None if it is small enough."""
    size = object_size(git, repository, blob, stop=stop)
    if size is None or size > LARGEST_MAILMAP:
        return f"{subject} is larger than 4 MiB and is not applied."
    # Fewer bytes have fewer lines.
    return too_many_lines(_content(git, repository, blob, stop), subject=subject) if size > _FEW_BYTES else None


def too_many_lines(content: bytes, *, subject: str = "The .mailmap") -> str | None:
    """Like :func:`too_large`, for a content of at most 4 MiB."""
    if len(content) > _FEW_BYTES and content.count(b"\n") > MOST_LINES:
        return f"{subject} has more than {MOST_LINES:,} lines and is not applied."
    return None


def _content(git: Git, repository: Path, blob: str, stop: Stop | None) -> bytes:
    return git.read("cat-file", "blob", blob, repository=repository, stop=stop)


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
    git: Git, repository: Path, mailmaps: Mailmaps, pairs: Iterable[Pair], *, stop: Stop | None = None
) -> dict[Pair, Identity]:
    """Map each (name, e-mail in lower case).

    Raises:
        HistoryError: git cannot read a mailmap.
        Interrupted: ``stop`` was set.
    """
    wanted = list(dict.fromkeys(pairs))
    if not mailmaps.version or not wanted:
        return {(name, email): Identity(email, name, email) for name, email in wanted}
    sent = [(name, email) for name, email in wanted if _NAME.fullmatch(name) and _EMAIL.fullmatch(email)]
    mapped, named = _mapped(git, repository, mailmaps, sent, stop)
    sources = dict.fromkeys(_touched(mapped, named), "repository")
    if mailmaps.own:
        own = Mailmaps(own=mailmaps.own)
        sources |= dict.fromkeys(_touched(*_mapped(git, repository, own, sent, stop)), "own")
    return _keyed({pair: mapped.get(pair, pair) for pair in wanted}, named, sources)


def _mapped(
    git: Git, repository: Path, mailmaps: Mailmaps, sent: list[Pair], stop: Stop | None
) -> tuple[dict[Pair, Pair], set[Pair]]:
    """Return the answer for each pair, and the pairs whose name a mailmap sets, if only to what it was."""
    probes = [(_probe(name), email) for name, email in sent]
    answers = _ask(git, repository, mailmaps, sent + probes, stop)
    mapped = dict(zip(sent, answers, strict=False))
    named = {
        pair for pair, probe, found in zip(sent, probes, answers[len(sent) :], strict=True) if found[0] != probe[0]
    }
    if any(not _HAS_ASCII_LETTER.search(name) for name, _ in sent):
        named |= _named_exactly(git, repository, mailmaps, stop) & mapped.keys()
    return mapped, named


def _touched(mapped: dict[Pair, Pair], named: set[Pair]) -> set[Pair]:
    return {pair for pair, found in mapped.items() if found != pair} | named


def _named_exactly(git: Git, repository: Path, mailmaps: Mailmaps, stop: Stop | None) -> set[Pair]:
    """The people without ASCII letters whom a line gives a name; :func:`_probe` cannot vary theirs."""
    blobs = [blob for blob in (mailmaps.committed, mailmaps.configured) if blob is not None]
    found = set()
    for content in (*(_content(git, repository, blob, stop) for blob in blobs), mailmaps.own):
        for new_name, name, email in _BY_NAME.findall(content):
            text = from_bytes(name.strip())
            if new_name.strip() and text and not _HAS_ASCII_LETTER.search(text):
                found.add((text, from_bytes(email.lower())))
    return found


def _keyed(mapped: dict[Pair, Pair], named: set[Pair], sources: dict[Pair, str]) -> dict[Pair, Identity]:
    names: dict[str, set[str]] = {}
    for pair in named:
        name, email = mapped[pair]
        names.setdefault(email, set()).add(name)
    found = {}
    for pair, (name, email) in mapped.items():
        shared = names.get(email, set())
        key = f"{name} <{email}>" if len(shared) > 1 and name in shared else email
        found[pair] = Identity(email, name, key, sources.get(pair, ""))
    return found


def _probe(name: str) -> str:
    """A variant that git's case-insensitive lookup matches, but no entry can produce: if the answer differs, the
    mailmap set the name.
    """
    swapped = name.translate(_SWAP_CASE)
    return swapped if swapped != name else name + os.urandom(8).hex()


def _ask(git: Git, repository: Path, mailmaps: Mailmaps, pairs: list[Pair], stop: Stop | None) -> list[Pair]:
    lines = b"".join(b"%b <%b>\n" % (to_bytes(name), to_bytes(email)) for name, email in pairs)
    import tempfile

    with tempfile.TemporaryDirectory(prefix="podium-") as folder:
        # git also reads the .mailmap of the work tree, first of all.
        work_tree, own = Path(folder, "tree"), Path(folder, "own")
        work_tree.mkdir()
        configuration = [f"mailmap.blob={mailmaps.configured or mailmaps.committed or ''}"]
        if mailmaps.configured and mailmaps.committed:
            (work_tree / ".mailmap").write_bytes(_content(git, repository, mailmaps.committed, stop))
        if mailmaps.own:
            own.write_bytes(mailmaps.own)
            configuration.append(f"mailmap.file={own}")
        answer = git.run(
            "check-mailmap",
            "--stdin",
            repository=repository,
            folder=work_tree,
            variables={"GIT_WORK_TREE": str(work_tree)},
            configuration=configuration,
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
