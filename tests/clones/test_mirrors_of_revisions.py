"""Branches and tags in the mirror of their repository, over real smart HTTP."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podium.clones import mirrors as mirrors_module
from podium.clones.mirrors import Mirrors
from podium.clones.remote import KEPT_REVISIONS
from podium.git.limits import bytes_on_disk
from podium.history.count import is_ancestor
from tests.clones.test_mirrors import counted, failure, mirrors_in, names_in, opening, server_git
from tests.support import repos
from tests.support.githttp import GitHost


@pytest.fixture
def repository(host: GitHost) -> Path:
    """Three commits on ``main``, two more on ``next/big``."""
    repository = repos.make_bare(host.folder / "o" / "r.git")
    first = repos.chain(repository, [repos.ALICE, repos.BOB, repos.BOB])
    repos.chain(repository, [repos.ALICE] * 2, [first], branch="next/big")
    return repository


def tag(repository: Path, name: str, oid: str, kind: str = "commit") -> str:
    """Make an annotated tag; return its id."""
    text = f"object {oid}\ntype {kind}\ntag {name}\ntagger Jo <jo@example.org> 1700000000 +0000\n\n.\n"
    made = repos.write(repository, "tag", text.encode())
    repos.git(repository, "update-ref", f"refs/tags/{name}", made)
    return made


def oid(repository: Path, name: str) -> str:
    return repos.git(repository, "rev-parse", name).decode().strip()


def counts(mirrors: Mirrors, host: GitHost, *revisions: str | None) -> list[int]:
    found = []
    for revision in revisions:
        with opening(mirrors, host, revision=revision) as mirror:
            found.append(counted(mirror))
    return found


@pytest.mark.parametrize("first", [None, "next/big", "nested"])
def test_a_repository_and_its_revisions_share_one_mirror(
    tmp_path: Path, host: GitHost, repository: Path, first: str | None
) -> None:
    inner = tag(repository, "v1", oid(repository, "main~1"))
    tag(repository, "nested", inner, "tag")
    repos.git(repository, "update-ref", "refs/tags/light", oid(repository, "main~2"))
    mirrors = mirrors_in(tmp_path)
    counts(mirrors, host, first)
    assert counts(mirrors, host, None, "next/big", "v1", "nested") == [3, 5, 2, 2]
    if first is None:
        assert counts(mirrors, host, "refs/heads/next/big", "heads/main", "tags/v1", "light") == [5, 3, 2, 1]
    assert len(names_in(tmp_path)) == 1
    with opening(mirrors, host) as mirror:
        assert (mirror.head, mirror.branch) == (oid(repository, "main"), "main")


def test_a_tag_comes_before_a_branch_of_its_name_as_in_git(tmp_path: Path, host: GitHost, repository: Path) -> None:
    repos.git(repository, "update-ref", "refs/tags/next/big", oid(repository, "main~2"))
    assert counts(mirrors_in(tmp_path), host, "next/big", "heads/next/big") == [1, 5]


def test_a_refresh_fetches_what_moved_and_nothing_else(tmp_path: Path, host: GitHost, repository: Path) -> None:
    tag(repository, "v1", oid(repository, "main~1"))
    mirrors = mirrors_in(tmp_path)
    assert counts(mirrors, host, None, "v1", "next/big") == [3, 2, 5]
    host.requests.clear()
    assert counts(mirrors, host, "v1", "next/big") == [2, 5]
    assert all("service=git-upload-pack" in request or "git-upload-pack" in request for request in host.requests)
    asked = len(host.requests)
    old = oid(repository, "next/big")
    tag(repository, "v1", oid(repository, "main"))
    repos.chain(repository, [repos.BOB], [oid(repository, "main")], branch="next/big")
    host.requests.clear()
    assert counts(mirrors, host, "v1", "next/big") == [3, 4]
    assert len(host.requests) > asked
    with opening(mirrors, host, revision="next/big") as mirror:
        assert not is_ancestor(server_git(), mirror.path, old, mirror.head)
    assert counts(mirrors, host, None) == [3]


def test_a_revision_that_does_not_exist_is_an_error_that_names_the_host(
    tmp_path: Path, host: GitHost, repository: Path
) -> None:
    mirrors = mirrors_in(tmp_path)
    tag(repository, "files", oid(repository, "main^{tree}"), "tree")
    # git's pattern would match it.
    repos.git(repository, "update-ref", "refs/notes/refs/tags/v9", oid(repository, "main"))
    for _ in range(2):
        error = failure(mirrors, host, revision="v9")
        assert (error.code, error.transient) == ("no-such-revision", False)
        assert error.message.startswith(f"{host.url.removeprefix('http://')} has no branch or tag v9 ")
        error = failure(mirrors, host, revision="files")
        assert (error.code, error.transient) == ("bad-rev", False)
        # A failure leaves the mirror of the others alone.
        assert counts(mirrors, host, None) == [3]
    assert failure(mirrors, host, "o/none.git", revision="v9").code == "missing"
    assert "tag mian in this repository (there is main): " in failure(mirrors, host, revision="mian").message


def test_the_refs_of_a_mirror_are_bounded(
    tmp_path: Path, host: GitHost, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirrors_module, "_MOST_REVISIONS", 2)
    mirrors = mirrors_in(tmp_path)
    counts(mirrors, host, None)
    (folder,) = ((tmp_path / "mirrors" / name) for name in names_in(tmp_path))
    for number, name in enumerate(["a", "b", "c"]):
        repos.git(repository, "update-ref", f"refs/tags/{name}", oid(repository, "main"))
        assert counts(mirrors, host, name) == [3]
        for ref in (folder / KEPT_REVISIONS).iterdir():
            os.utime(ref, (number, min(number, ref.stat().st_mtime)))
    assert len([*(folder / KEPT_REVISIONS).iterdir()]) == 2


def test_a_revision_that_makes_the_mirror_too_large_is_cloned_alone(
    tmp_path: Path, host: GitHost, repository: Path
) -> None:
    noise = os.urandom(300_000).hex().encode()
    repos.set_branch(repository, repos.commit(repository, message=noise + b"\n"), "main")
    repos.set_branch(repository, repos.commit(repository, message=noise[::-1] + b"\n"), "other")
    assert counts(mirrors_in(tmp_path), host, None) == [1]
    (folder,) = ((tmp_path / "mirrors" / name) for name in names_in(tmp_path))
    room = bytes_on_disk(folder) * 3 // 2
    mirrors = mirrors_in(tmp_path, repository_bytes=room)
    assert counts(mirrors, host, "other", None) == [1, 1]
    error = failure(mirrors_in(tmp_path / "elsewhere", repository_bytes=room // 3), host, revision="other")
    assert error.code == "too-large"
