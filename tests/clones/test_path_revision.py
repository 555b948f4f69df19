"""What ``--rev`` may name: one commit, or a range as git's."""

from __future__ import annotations

import hashlib
import itertools
import os
from pathlib import Path

import pytest

from podium.clones.path_revision import LONGEST_REVISION, PathRevision, find_revision
from podium.errors import HistoryError
from podium.git.command import Git
from tests.support import repos


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Git:
    return Git.for_person({"PATH": os.environ["PATH"], "HOME": str(tmp_path_factory.mktemp("home"))})


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five commits; names of all kinds for the second one."""
    path = repos.make_bare(tmp_path_factory.mktemp("repositories") / "r.git")
    oids: list[str] = []
    tree = repos.write_tree(path, {"file": b"text\n"})
    for number in range(5):
        message = b"fix .. number %d\n" % number
        oids.append(repos.commit(path, oids[-1:], tree=tree, message=message))
    repos.set_branch(path, oids[4])
    for name in ("heads/topic/one", "heads/-odd", "remotes/origin/old", "tags/light", "heads/wörk"):
        repos.git(path, "update-ref", f"refs/{name}", oids[1])
    tag = f"object {oids[1]}\ntype commit\ntag v1\ntagger T <t@x.example> 1700000000 +0000\n\nv1\n"
    repos.git(path, "update-ref", "refs/tags/v1", repos.write(path, "tag", tag.encode()))
    repos.git(path, "update-ref", "refs/tags/tree", tree)
    return path


def oid(repository: Path, name: str) -> str:
    return repos.git(repository, "rev-parse", name).decode().strip()


NAMES = ["v1", "light", "topic/one", "refs/heads/topic/one", "origin/old", "-odd", "wörk", "main~3", "v1^{}", "v1^0"]


@pytest.mark.parametrize("name", [*NAMES, "oid", "short oid", ":/number 1", "main^{/number 1}"])
def test_a_range_from_any_name_to_any_other(git: Git, repository: Path, name: str) -> None:
    second, head = oid(repository, "main~3"), oid(repository, "main")
    name = {"oid": second, "short oid": second[:10]}.get(name, name)
    assert find_revision(git, repository, name) == PathRevision(second)
    assert find_revision(git, repository, f"{name}..main") == PathRevision(head, second)
    assert find_revision(git, repository, f"{name}..") == PathRevision(head, second)
    if not name.startswith(":/"):
        assert find_revision(git, repository, f"..{name}") == PathRevision(second, head)
        assert find_revision(git, repository, f"main..{name}") == PathRevision(second, head)


def test_dots_that_are_no_range(git: Git, repository: Path) -> None:
    for name in (":/fix .. number 2", "main^{/fix .. number 2}", "main^{/fix ... number 2}"):
        if "..." not in name:
            assert find_revision(git, repository, name) == PathRevision(oid(repository, "main~2"))
    assert find_revision(git, repository, "main..main") == PathRevision(*[oid(repository, "main")] * 2)


@pytest.mark.parametrize(
    ("revision", "says"),
    [
        ("v1...main", "--rev v1..main for what main adds, or --rev main..v1"),
        ("v1...", "--rev v1..HEAD"),
        ("...v1", "--rev HEAD..v1"),
        ("^v1", "type --rev v1..HEAD"),
        ("v1^@", "--rev v1^1"),
        ("v1^!", "--rev v1^..v1"),
        ("v1^-", "--rev v1^..v1"),
        ("v1^-2", "--rev v1^2..v1"),
        ("main ^v1", "--rev v1..main"),
        ("main --not v1", "--rev v1..main"),
        ("^v1 main", "--rev v1..main"),
        ("v1 main", "without spaces"),
        ("v1 .. main", "without spaces"),
        ("--all", "name one, such as --rev HEAD"),
        ("--branches=x", "name one"),
        ("--stdin", "name one"),
        ("", "empty"),
        ("  ", "empty"),
        ("..", "is called .."),
        ("absent", "is called absent: `git branch --all`"),
        ("absent..main", "is called absent:"),
        ("mian~2", "is called mian~2 (there is main~2): `git"),
        ("LIGTH..main", "is called LIGTH (there is light):"),
        ("v1..old", "is called old (there is origin/old):"),
        ("x" * 90, "is called"),
        ("v1..absent", "is called absent:"),
        ("v1..main..v1", "is called main..v1:"),
        ("0" * 40, f"is called {'0' * 40}"),
        ("main:file", "main:file is a blob, not a commit"),
        ("v1..main:file", "main:file is a blob, not a commit"),
        ("HEAD^{tree}", "is a tree, not a commit"),
        ("tree..main", "tree is a tree, not a commit"),
        ("x\ny", "x y is more than one word"),
        ("\x1b[31mv1", "is called"),
        ("x" * (LONGEST_REVISION + 1), f"longer than {LONGEST_REVISION} characters"),
    ],
)
def test_what_is_no_board_is_refused_with_what_to_type(git: Git, repository: Path, revision: str, says: str) -> None:
    with pytest.raises(HistoryError) as caught:
        find_revision(git, repository, revision)
    message = caught.value.message
    assert caught.value.code == "bad-rev"
    assert message.startswith("--rev: ")
    assert says in message
    assert message.isprintable()
    # Not a word of it is git's.
    assert "fatal" not in message and len(message) < 700


def test_the_beginning_of_several_ids_is_called_that(git: Git, repository: Path) -> None:
    known: dict[str, bytes] = {}
    for number in itertools.count():
        content = b"%d" % number
        beginning = hashlib.sha1(b"blob %d\0%b" % (len(content), content)).hexdigest()[:4]
        if beginning in known:
            break
        known[beginning] = content
    for each in (content, known[beginning]):
        repos.write(repository, "blob", each)
    for revision in (beginning, f"{beginning}..main", f"main..{beginning}~1"):
        with pytest.raises(HistoryError, match=f"id that begins with {beginning}: add digits") as caught:
            find_revision(git, repository, revision)
        assert caught.value.code == "bad-rev"
