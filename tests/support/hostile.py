"""Commits and repositories that are small in a pack and take much work, made by script."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from tests.support import repos

_AUTHOR = b"author Alice <alice@example.org> 1700000000 +0000\n"
_COMMITTER = b"committer Alice <alice@example.org> 1700000000 +0000\n"
CO_AUTHOR = b"Co-authored-by: Carol <carol@example.org>\n"


def raw_commit(
    *,
    parents: Iterable[str] = (),
    before_author: bytes = b"",
    author: bytes = _AUTHOR,
    headers: bytes = b"",
    message: bytes = b"t\n\n" + CO_AUTHOR,
    tree: str = "0" * 40,
) -> bytes:
    """A commit object; ``before_author``, ``author`` and ``headers`` are whole lines."""
    lines = b"".join(b"parent %s\n" % parent.encode() for parent in parents)
    return b"tree %s\n" % tree.encode() + lines + before_author + author + _COMMITTER + headers + b"\n" + message


def repeated(text: bytes, size: int) -> bytes:
    """About ``size`` bytes, and whole repetitions of ``text``."""
    return text * (size // len(text))


def co_authors(number: int) -> bytes:
    """Trailers that name so many people."""
    return b"".join(b"Co-authored-by: P%d <p%d@example.org>\n" % (each, each) for each in range(number))


def _of_message(make: Callable[[int], bytes]) -> Callable[[int], dict[str, bytes]]:
    return lambda size: {"message": b"t\n\n" + make(size)}


def _of_header(make: Callable[[int], bytes]) -> Callable[[int], dict[str, bytes]]:
    return lambda size: {"headers": make(size)}


# What makes a commit of about so many bytes: arguments of raw_commit().
HOSTILE: dict[str, Callable[[int], dict[str, bytes]]] = {
    "continuation lines": _of_message(lambda size: CO_AUTHOR + repeated(b" x\n", size)),
    "continuation lines of tabs": _of_message(lambda size: CO_AUTHOR + repeated(b"\tx\n", size)),
    "continuation lines of only spaces": _of_message(lambda size: CO_AUTHOR + repeated(b" \n", size)),
    "one folded line": _of_message(lambda size: CO_AUTHOR + b" " * size + b"x\n"),
    "one co-author again and again": _of_message(lambda size: repeated(CO_AUTHOR, size)),
    "many co-authors": _of_message(lambda size: co_authors(size // 42)),
    "trailers without a name": _of_message(lambda size: CO_AUTHOR + repeated(b"a:\n", size)),
    "separators": _of_message(lambda size: CO_AUTHOR + repeated(b":\n", size)),
    "a long token": _of_message(lambda size: CO_AUTHOR + b"a" * size + b"\n" + CO_AUTHOR),
    "a token before spaces": _of_message(lambda size: CO_AUTHOR + b"a" + b" " * size + b"\n"),
    "keys cut short": _of_message(lambda size: repeated(b"\nCo-authored-b", size) + b"\n\n" + CO_AUTHOR),
    "comments at the end": _of_message(lambda size: CO_AUTHOR + repeated(b"#\n", size)),
    "conflicts at the end": _of_message(lambda size: CO_AUTHOR + b"\nConflicts:\n" + repeated(b"\tf\n", size)),
    "blank lines at the end": _of_message(lambda size: CO_AUTHOR + b"\n" * size),
    "blank lines of spaces": _of_message(lambda size: repeated(b"x\n \n", size) + CO_AUTHOR),
    "blank lines at the beginning": lambda size: {"message": b"\n" * size + b"t\n\n" + CO_AUTHOR},
    "spaces at the beginning": lambda size: {"message": b" " * size + b"t\n\n" + CO_AUTHOR},
    "NUL bytes": _of_message(lambda size: CO_AUTHOR + b"\0" * size),
    "half a scissors line": _of_message(lambda size: CO_AUTHOR + repeated(b"# ---------------- >8 -\n", size)),
    "an endless address": _of_message(lambda size: b"Co-authored-by: A <" + b"e" * size + b">\n"),
    "many brackets": _of_message(lambda size: b"Co-authored-by: A " + b"<" * size + b">\n"),
    "two-byte text": _of_message(lambda size: CO_AUTHOR + repeated(b"\xb0\xa1", size)),
    "encodings": _of_header(lambda size: repeated(b"encoding latin-1\n", size)),
    "unknown encodings": _of_header(lambda size: b"encoding x\n" + repeated(b"encoding gb18030\n", size)),
    "a signature": _of_header(lambda size: b"gpgsig -\n" + repeated(b" \n", size)),
    "merge tags": _of_header(lambda size: repeated(b"mergetag object 0\n author X <x@example.org>\n", size)),
    "short header lines": _of_header(lambda size: repeated(b"x\n", size)),
    "NUL bytes in the header": _of_header(lambda size: repeated(b"x\0", size) + b"\n"),
    "lines before the author": lambda size: {"before_author": repeated(b"x\n", size)},
    "authors": lambda size: {"author": repeated(_AUTHOR, size)},
    "an endless author": lambda size: {"author": b"author " + b"n" * size + b" <n@example.org> 1700000000 +0000\n"},
    "brackets for an author": lambda size: {"author": b"author " + b"<" * size + b"\n"},
    "digits for a date": lambda size: {"author": b"author A <a@example.org> " + b"1" * size + b"\n"},
    "spaces in a date": lambda size: {
        "author": b"author A <a@example.org>" + b" " * (size // 2) + b"1" + b" " * (size // 2) + b"\n"
    },
}


def hostile_repository(path: Path, size: int, names: Iterable[str] = HOSTILE) -> list[str]:
    """Make a bare repository of a commit of each kind and a last, ordinary one; return their oids, the last first."""
    repository = repos.make_bare(path)
    tree = repos.write_tree(repository)
    oids: list[str] = []
    for name in names:
        fields = HOSTILE[name](size)
        commit = raw_commit(parents=oids[:1], tree=tree, **fields)
        oids.insert(0, repos.write(repository, "commit", commit))
    oids.insert(0, repos.commit(repository, oids[:1], tree=tree))
    repos.set_branch(repository, oids[0])
    return oids
