"""Repositories for tests, made of raw objects, so that any odd byte can stand in a commit."""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import tempfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

ALICE = b"Alice <alice@example.org> 1700000000 +0000"
BOB = b"Bob <bob@example.org> 1690000000 +0200"


def git(repository: Path, *words: str, stdin: bytes = b"", check: bool = True) -> bytes:
    """The output of git in a bare repository, run as a test runs it: no configuration but the repository's own."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "LC_ALL": "C",
        # What git says is what the objects say.
        "GIT_GRAFT_FILE": os.devnull,
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    argv = ["git", f"--git-dir={repository}", *words]
    return subprocess.run(argv, input=stdin, env=environment, check=check, capture_output=True).stdout


def make_bare(path: Path, *, branch: str = "main", object_format: str = "sha1") -> Path:
    """An empty bare repository, as ``git init --bare --template=`` makes it."""
    path.mkdir(parents=True)
    for name, content in _empty(object_format).items():
        if content is None:
            (path / name).mkdir()
        else:
            (path / name).write_bytes(content)
    (path / "HEAD").write_text(f"ref: refs/heads/{branch}\n")
    return path


@functools.cache
def _empty(object_format: str) -> dict[str, bytes | None]:
    """The files of an empty repository; None: a folder. git is started once for all of them."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        git(root, "init", "-q", "--bare", "--template=", f"--object-format={object_format}")
        found = sorted(root.rglob("*"))
        return {str(path.relative_to(root)): None if path.is_dir() else path.read_bytes() for path in found}


def write(repository: Path, kind: str, content: bytes) -> str:
    """Write a loose object without asking whether it makes sense; returns its name."""
    raw = b"%s %d\0" % (kind.encode(), len(content)) + content
    sha256 = "objectformat = sha256" in (repository / "config").read_text().lower()
    name = (hashlib.sha256 if sha256 else hashlib.sha1)(raw).hexdigest()
    path = repository / "objects" / name[:2] / name[2:]
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(zlib.compress(raw, 1))
    return name


def read_loose(repository: Path, name: str) -> bytes:
    """The content of a loose object."""
    path = repository / "objects" / name[:2] / name[2:]
    return zlib.decompress(path.read_bytes()).partition(b"\0")[2]


def write_tree(repository: Path, files: dict[str, bytes] | None = None, mode: str = "100644") -> str:
    """A tree of files in its root."""
    entries = (
        f"{mode} {name}\0".encode() + bytes.fromhex(write(repository, "blob", content))
        for name, content in sorted((files or {}).items())
    )
    return write(repository, "tree", b"".join(entries))


def commit(
    repository: Path,
    parents: Sequence[str] = (),
    *,
    author: bytes = ALICE,
    message: bytes = b"change\n",
    tree: str | None = None,
    headers: Iterable[bytes] = (),
    author_line: bytes | None = None,
    committed: int = 1_700_000_000,
) -> str:
    """A raw commit; ``headers`` are whole lines behind the committer's, ``author_line`` replaces ``author …``.

    committed: seconds of the committer's date.
    """
    lines = [
        b"tree " + (tree or write_tree(repository)).encode(),
        *(b"parent " + parent.encode() for parent in parents),
        b"author " + author if author_line is None else author_line,
        b"committer Committer <committer@example.org> %d +0000" % committed,
        *headers,
    ]
    return write(repository, "commit", b"\n".join(line for line in lines if line) + b"\n\n" + message)


def set_branch(repository: Path, sha: str, branch: str = "main") -> None:
    """Let a branch name a commit."""
    ref = repository / "refs" / "heads" / branch
    ref.parent.mkdir(parents=True, exist_ok=True)
    # git removes empty folders that stand in its place.
    if ref.is_dir():
        git(repository, "update-ref", f"refs/heads/{branch}", sha)
    else:
        ref.write_text(f"{sha}\n")


def chain(repository: Path, authors: Iterable[bytes], parents: Sequence[str] = (), branch: str = "main") -> str:
    """A commit by each author, one upon the other; returns the last, which ``branch`` then names."""
    tree = write_tree(repository)
    for author in authors:
        parents = [commit(repository, parents, author=author, tree=tree)]
    set_branch(repository, parents[0], branch)
    return parents[0]


def make_traps(path: Path) -> Path:
    """A bare repository with every trap that a count can fall into; ``main`` reaches all of them."""
    repository = make_bare(path)
    mailmap = b"\n".join(
        (
            b"Proper Alice <alice@example.org> <ALICE@old.example.org>",
            b"<bob@new.example.org> <bob@example.org>",
            b"One <one@example.org> one <shared@example.org>",
            b"Two <two@example.org> two <shared@example.org>",
            b"",
        )
    )
    tree = write_tree(repository, {".mailmap": mailmap, "file": b"content\n"})
    head = commit(repository, author=ALICE, tree=tree)
    for author in ODD_AUTHORS:
        head = commit(repository, [head], author=author, tree=tree)
    for author_line in ODD_AUTHOR_LINES:
        head = commit(repository, [head], author_line=author_line, tree=tree)
    for message in MESSAGES:
        head = commit(repository, [head], author=BOB, message=message, tree=tree)
    for headers in ODD_HEADERS:
        head = commit(
            repository, [head], author=b"J\xf6rg <joerg@example.org> 1600000000 +0000", tree=tree, headers=headers
        )
    side = commit(repository, [head], author=BOB, tree=tree)
    other = commit(repository, [head], author=ALICE, tree=tree, message=b"other\n")
    merge = commit(
        repository,
        [side, other],
        author=ALICE,
        tree=tree,
        message=b"Merge\n\nbody\n\nCo-authored-by: Carol <carol@example.org>\n",
    )
    head = commit(repository, [merge, side, other], author=BOB, tree=tree, message=b"Octopus\n")
    head = commit(repository, [head, head], author=BOB, tree=tree, message=b"the same parent twice\n")
    head = commit(repository, [head], author=ALICE, tree=tree, message=b"large\n" + b"x" * (1 << 21))
    set_branch(repository, head)
    # A graft and a replacement that would hide most of the history.
    root = git(repository, "rev-list", "--max-parents=0", "main").decode().strip()
    git(repository, "update-ref", f"refs/replace/{head}", root)
    (repository / "info").mkdir(exist_ok=True)
    (repository / "info" / "grafts").write_text(head + "\n")
    return repository


ODD_AUTHORS = (
    b"Alice <ALICE@old.example.org> 1500000000 -0330",
    b"alice <Alice@Example.org> 1500000000 +51800",
    b"Bob <bob@example.org> 99999999999999999999 +0000",
    b"Bob <bob@example.org> 253402300800 +0000",
    b"Bob <bob@example.org> 253402300799 +0000",
    b"Bob <bob@example.org> 4102444800 +0000",
    b"Bob <bob@example.org> 0 +0000",
    b"Bob <bob@example.org> 0000000012 +0000",
    b"Bob <bob@example.org> 1600000000+0000",
    b"Bob <bob@example.org>1600000000 +0000",
    b"Bob <bob@example.org>  1600000000  -0000",
    b"Bob <bob@example.org>\t1600000000\t+0000",
    b"Bob <bob@example.org> 1600000000 +0000\r",
    b"Bob <bob@example.org> 1600000000 +00x0 tail",
    b"A <b <c> d <real@x> 1600000000 +0000",
    b"A <b> c > 1600000000 +0000",
    b" leading <leading@example.org> 1600000000 +0000",
    b"trailing   <trailing@example.org> 1600000000 +0000",
    b"<no-name@example.org> 1600000000 +0000",
    b"   <blank-name@example.org> 1600000000 +0000",
    b"No Mail <> 1600000000 +0000",
    b"Spaced < spaced@example.org > 1600000000 +0000",
    b"A> B <odd-name@example.org> 1600000000 +0000",
    b"J\xc3\xb6rg <joerg@example.org> 1600000000 +0000",
    b"J\xf6rg <joerg@example.org> 1600000000 +0000",
    b"Esc \x1b[31m <esc\x1b@example.org> 1600000000 +0000",
    b"\xe2\x80\xae <rtl@example.org> 1600000000 +0000",
    b"\xc4\xb0 <\xc4\xb0@example.org> 1600000000 +0000",
    b"one <shared@example.org> 1600000000 +0000",
    b"two <shared@example.org> 1600000000 +0000",
    b"three <shared@example.org> 1600000000 +0000",
    b"Long " + b"n" * 400 + b" <" + b"e" * 400 + b"@example.org> 1600000000 +0000",
)

# Where git finds no author, or prints no date.
ODD_AUTHOR_LINES = (
    b"author Bob <bob@example.org> -5 +0000",
    b"author Bob <bob@example.org> -99999999999999 +0000",
    b"author Bob <bob@example.org> 1600000000",
    b"author Bob <bob@example.org>",
    b"author Bob <bob@example.org> yesterday +0000",
    b"author Bob <bob@example.org> " + b"9" * 6000 + b" +0000",
    b"author no brackets 1600000000 +0000",
    b"author no end <bob@example.org 1600000000 +0000",
    b"author > wrong < way 1600000000 +0000",
    b"author ",
    b"author Nul \0 <nul@example.org> 1600000000 +0000",
    b"author Nul <nul@example.org> 16\x0000000000 +0000",
    b"",
    b"author First <first@example.org> 1600000000 +0000\nauthor Second <second@example.org> 1600000000 +0000",
)

ODD_HEADERS = (
    [b"encoding ISO-8859-1"],
    [b"encoding latin-1"],
    [b"encoding UTF-8"],
    [b"encoding no-such-encoding"],
    [b"encoding us-ascii"],
    [b"gpgsig -----BEGIN PGP SIGNATURE-----", b" ", b" author Forged <forged@example.org> 1 +0000", b" -----END"],
    [
        b"mergetag object 0000000000000000000000000000000000000000",
        b" type commit",
        b" tagger Tagger <tagger@example.org> 1 +0000",
        b" ",
        b" author Forged <forged@example.org> 1 +0000",
        b" encoding ISO-8859-1",
    ],
    [b"author Last <last@example.org> 1600000000 +0000"],
    [b"x\0y", b"author Hidden <hidden@example.org> 1600000000 +0000"],
    [b"parent 0000000000000000000000000000000000000000", b"parent 0000000000000000000000000000000000000000"],
)

MESSAGES = (
    b"",
    b"no line break",
    b"Co-authored-by: Title <title@example.org>\n",
    b"title\n\nCo-authored-by: Carol <Carol@example.org>\n",
    b"title\n\nCo-authored-by: Bob himself <BOB@example.org>\nco-AUTHORED-by : Dan <dan@example.org>\n",
    b"title\n\nCo-authored-by: Carol <carol@example.org>\nCo-authored-by: C. <CAROL@example.org>\n",
    b"title\n\nsome text\nCo-authored-by: Text <text@example.org>\n",
    b"title\n\na\nb\nSigned-off-by: S <s@example.org>\nCo-authored-by: Quarter <quarter@example.org>\n",
    b"title\n\na\nb\nc\nd\ne\nf\ng\nSigned-off-by: S <s@example.org>\nCo-authored-by: Less <less@example.org>\n",
    b"title\n\nCo-authored-by: Early <early@example.org>\n\nlast paragraph\n",
    b"title\n\nCo-authored-by: Folded\n  <folded@example.org>\n",
    b"title\n\nCo-authored-by: No Mail\nCo-authored-by: Empty <>\nCo-authored-by: <only@example.org>\n",
    b"title\n\n(cherry picked from commit abc)\nCo-authored-by: Picked <picked@example.org>\n",
    b"title\n\nbody\n---\nCo-authored-by: Divider <divider@example.org>\n",
    b"title\n\nCo-authored-by: Before <before@example.org>\n\n---\nfile | 1 +\n",
    b"title\n\n# comment\nCo-authored-by: Comment <comment@example.org>\n# comment\n",
    b"title\n\nCo-authored-by: Crlf <crlf@example.org>\r\n",
    b"title\r\n\r\nCo-authored-by: Crlf2 <crlf2@example.org>\r\n",
    b"title\n\nbody\0\n\nCo-authored-by: Nul <nul-trailer@example.org>\n",
    b"title\n\nCo-authored-by: X\0Y <nul-name@example.org>\n",
    b"\n\n  \ntitle\n\nCo-authored-by: Blank <blank-first@example.org>\n\n\n",
    b"title\n\nCo-authored-by: Conflicts <conflicts@example.org>\n\nConflicts:\n\tfile\n",
    b"title\n\nabc Co-authored-by: Middle <middle@example.org>\n",
    b"title\n\n0123456789abcdef0123456789abcdef01234567 commit 12\nauthor Forged <forged@example.org> 1 +0000\n",
)
