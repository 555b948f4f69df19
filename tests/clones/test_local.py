"""Repositories that are on this machine already."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from podium.clones.cloned_from import origin_urls, slug_at
from podium.clones.local import LocalRepository, open_local
from podium.clones.mailmaps.mailmap import Mailmaps
from podium.clones.path_source import PathSource
from podium.errors import HistoryError
from podium.git.command import Git
from podium.history.count import count
from tests.support import repos
from tests.support.rows import some_repository


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git.for_person({"PATH": os.environ["PATH"], "HOME": str(tmp_path)})


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    repository = repos.make_bare(tmp_path / "bare.git")
    repos.chain(repository, [repos.ALICE, repos.BOB, repos.BOB])
    return repository


@pytest.fixture
def clone(tmp_path: Path, bare: Path) -> Path:
    repos.git(bare, "clone", "-q", f"file://{bare}", str(tmp_path / "clone"))
    return tmp_path / "clone"


def failure(git: Git, path: Path, revision: str | None = None) -> HistoryError:
    with pytest.raises(HistoryError) as caught:
        open_local(git, path, revision)
    return caught.value


def test_a_bare_repository_a_clone_and_a_folder_in_it(git: Git, bare: Path, clone: Path) -> None:
    (clone / "a" / "b").mkdir(parents=True)
    head = repos.git(bare, "rev-parse", "main").decode().strip()
    assert open_local(git, bare) == LocalRepository(bare, head, "main", Mailmaps(), None)
    for path in (clone, clone / "a" / "b", clone / ".git"):
        found = open_local(git, path)
        assert found == LocalRepository(clone / ".git", head, "main", Mailmaps(), None)


def test_the_origin_is_known_as_written_and_as_git_uses_it(git: Git, bare: Path, clone: Path) -> None:
    work = clone / ".git"
    assert origin_urls(git, bare) == []
    repos.git(work, "remote", "add", "upstream", "https://github.com/o/r")
    assert origin_urls(git, work) == [f"file://{bare}"]
    repos.git(work, "remote", "set-url", "origin", "gh:o/r")
    assert origin_urls(git, work) == ["gh:o/r"]
    repos.git(work, "config", "url.git@github.com:.insteadOf", "gh:")
    assert origin_urls(git, work) == ["gh:o/r", "git@github.com:o/r"]
    repos.git(work, "remote", "remove", "origin")
    assert origin_urls(git, work) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/o/r",
        "https://github.com/o/r.git",
        "https://www.github.com/o/r/",
        "http://github.com/o/r.git",
        "git://github.com/o/r.git",
        "https://user@github.com/o/r.git",
        "https://user:pass@word@github.com/o/r.git",
        "git@github.com:o/r.git",
        "github.com:o/r",
        "ssh://git@github.com/o/r.git",
        "ssh://git@ssh.github.com:443/o/r.git",
    ],
)
def test_an_origin_at_github(url: str) -> None:
    assert slug_at("https://github.com", ["file:///srv/r.git", url]) == ("o", "r")
    assert slug_at("https://github.example.com", [url]) is None
    enterprise = url.replace("github.com", "github.example.com")
    assert slug_at("https://github.example.com", [enterprise]) == ("o", "r")


@pytest.mark.parametrize(
    "url",
    [
        "o/r",
        "github.com/o/r",
        "../github.com/o/r",
        "/srv/github.com/o/r",
        "file:///github.com/o/r",
        "https://gitlab.com/o/r",
        "https://github.com.example.org/o/r",
        "https://github.com@example.org/o/r",
        "https://github.com/o",
        "git@example.org:github.com/o/r",
        "ext::ssh github.com o/r",
        "",
    ],
)
def test_an_origin_elsewhere(url: str) -> None:
    assert slug_at("https://github.com", [url]) is None


def test_a_work_tree_and_a_symbolic_link(git: Git, clone: Path, tmp_path: Path) -> None:
    other = repos.git(clone / ".git", "rev-parse", "main~1").decode().strip()
    repos.git(clone / ".git", "worktree", "add", "-q", "--detach", str(tmp_path / "tree"), other)
    (tmp_path / "link").symlink_to(clone)
    found = open_local(git, tmp_path / "tree")
    assert (found.head, found.branch) == (other, None)
    assert count(git, found.path, found.head).total_commits == 2
    assert open_local(git, tmp_path / "link").path == clone / ".git"


def test_paths_that_look_like_something_else(git: Git, bare: Path, tmp_path: Path) -> None:
    for name in ("-x", "a b", "ü", "x\ny", "ext::x", "$(id)"):
        path = tmp_path / name
        repos.git(bare, "clone", "-q", "--bare", f"file://{bare}", str(path))
        assert open_local(git, path).path == path


def test_the_callers_own_repository_is_not_taken_for_it(bare: Path, clone: Path, tmp_path: Path) -> None:
    redirected = Git.for_person(
        {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_DIR": str(bare), "GIT_WORK_TREE": str(tmp_path)}
    )
    assert open_local(redirected, clone).path == clone / ".git"


def test_another_revision(git: Git, bare: Path) -> None:
    repos.git(bare, "tag", "-a", "-m", "x", "v1", "main~2", check=False)
    repos.git(bare, "update-ref", "refs/heads/-odd", "main~1")
    for revision, number in (("main~1", 2), ("refs/heads/-odd", 2), ("-odd", 2), ("main", 3)):
        found = open_local(git, bare, revision)
        assert found.branch is None
        assert count(git, found.path, found.head).total_commits == number


@pytest.mark.parametrize("revision", ["none", "--all", "", "main:file", "-x", "a b", "HEAD^{tree}", "..", "\n"])
def test_a_revision_that_is_none(git: Git, bare: Path, revision: str) -> None:
    assert failure(git, bare, revision).code == "bad-rev"


def test_not_a_repository(git: Git, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    for name in ("file", "folder", "none"):
        assert failure(git, tmp_path / name).code == "not-a-repository"


def test_a_repository_without_commits(git: Git, tmp_path: Path) -> None:
    assert failure(git, repos.make_bare(tmp_path / "empty.git")).code == "empty"


def test_a_lost_head_is_damage_and_no_empty_branch(git: Git, bare: Path) -> None:
    head = repos.git(bare, "rev-parse", "main").decode().strip()
    (bare / "objects" / head[:2] / head[2:]).unlink()
    error = failure(git, bare)
    assert error.code == "corrupt"
    assert head in error.message


def test_a_head_that_names_a_branch_that_does_not_exist(git: Git, bare: Path) -> None:
    repos.git(bare, "symbolic-ref", "HEAD", "refs/heads/none")
    error = failure(git, bare)
    assert error.code == "no-default-branch"
    assert "--rev" in error.message
    assert open_local(git, bare, "main").head


@pytest.mark.parametrize(
    ("variables", "advice"),
    [
        ({}, "run git fetch --unshallow"),
        ({"CI": "true", "GITHUB_ACTIONS": ""}, "run git fetch --unshallow"),
        ({"CI": "true", "GITHUB_ACTIONS": "true"}, "fetch-depth: 0"),
        ({"CI": "true", "GITLAB_CI": "true", "GIT_DEPTH": "20"}, "GIT_DEPTH: 0"),
    ],
)
def test_a_shallow_clone_is_refused_with_what_to_do(
    bare: Path, tmp_path: Path, variables: dict[str, str], advice: str
) -> None:
    repos.git(bare, "clone", "-q", "--depth=1", f"file://{bare}", str(tmp_path / "shallow"))
    git = Git.for_person({"PATH": os.environ["PATH"], "HOME": str(tmp_path), **variables})
    error = failure(git, tmp_path / "shallow")
    assert error.code == "shallow"
    assert advice in error.message


def test_a_repository_of_another_user_is_refused_with_what_to_do(git: Git, clone: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a file away")
    subprocess.run(["chown", "-R", "1234", str(clone)], check=True)
    error = failure(git, clone)
    assert error.code == "not-trusted"
    assert f"git config --global --add safe.directory {clone}" in error.message


def test_the_mailmap_of_the_revision_not_of_the_work_tree(git: Git, bare: Path, clone: Path) -> None:
    (clone / ".mailmap").write_text("Forged <forged@example.org> <alice@example.org>\n")
    assert open_local(git, clone).mailmaps == Mailmaps()
    tree = repos.write_tree(bare, {".mailmap": b"x"})
    repos.set_branch(bare, repos.commit(bare, tree=tree))
    found = open_local(git, bare)
    assert found.mailmaps.committed == repos.git(bare, "rev-parse", "main:.mailmap").decode().strip()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"a<b>\n" * 20_000, None),
        (b"a<b>\n" * 20_001, "The .mailmap has more than 20,000 lines and is not applied."),
        (b"#" * (4 << 20) + b"\n", "The .mailmap is larger than 4 MiB and is not applied."),
    ],
)
def test_a_mailmap_that_takes_git_long_is_not_applied(git: Git, bare: Path, content: bytes, why: str | None) -> None:
    repos.set_branch(bare, repos.commit(bare, tree=repos.write_tree(bare, {".mailmap": content})))
    found = open_local(git, bare)
    assert (found.mailmaps == Mailmaps(), found.note) == (why is not None, why)


@pytest.mark.parametrize("has_head", [False, True])
def test_a_clone_whose_shared_objects_moved_says_where_they_were(
    git: Git, bare: Path, tmp_path: Path, has_head: bool
) -> None:
    shared = tmp_path / "shared"
    repos.git(bare, "clone", "-q", "--bare", "--shared", str(bare), str(shared))
    if has_head:
        repos.set_branch(shared, repos.commit(shared, [repos.git(bare, "rev-parse", "main").decode().strip()]))
    bare.rename(tmp_path / "moved")
    with pytest.raises(HistoryError, match=f"borrows commits from {bare}/objects, where nothing is") as caught:
        count(git, shared, open_local(git, shared).head)
    assert caught.value.code == "corrupt"


@pytest.mark.parametrize("revision", [None, "main", "mian"])
def test_refs_that_cannot_be_read_are_not_taken_for_none(git: Git, bare: Path, revision: str | None) -> None:
    (bare / "packed-refs").write_text("<<<<<<< HEAD\n")
    error = failure(git, bare, revision)
    assert (error.code, f"a line of {bare}/packed-refs" in error.message) == ("corrupt", True)


def test_a_treeless_clone_is_counted_without_its_mailmap_and_without_the_network(
    git: Git, bare: Path, tmp_path: Path
) -> None:
    tree = repos.write_tree(bare, {".mailmap": b"x", "file": b"y"})
    repos.set_branch(bare, repos.commit(bare, tree=tree))
    repos.git(bare, "config", "uploadpack.allowFilter", "true")
    repos.git(bare, "clone", "-q", "--bare", "--filter=tree:0", f"file://{bare}", str(tmp_path / "treeless"))
    found = open_local(git, tmp_path / "treeless")
    assert (found.mailmaps.committed, found.note is not None) == (None, True)
    assert count(git, found.path, found.head).total_commits == 1


def test_a_partial_clone_that_lacks_commits_says_so_while_the_network_is_away(
    git: Git, bare: Path, tmp_path: Path
) -> None:
    partial = tmp_path / "partial"
    repos.git(bare, "config", "uploadpack.allowFilter", "true")
    repos.git(bare, "clone", "-q", "--bare", "--filter=tree:0", f"file://{bare}", str(partial))
    for file in (partial / "objects" / "pack").iterdir():
        file.unlink()
    head = repos.git(bare, "rev-parse", "main").strip()
    name = repos.git(bare, "pack-objects", "-q", str(partial / "objects" / "pack" / "pack"), stdin=head).decode()
    (partial / "objects" / "pack" / f"pack-{name.strip()}.promisor").touch()
    bare.rename(tmp_path / "away")
    found = open_local(git, partial)
    with pytest.raises(HistoryError, match=r"partial clone .* git fetch --refetch"):
        count(git, found.path, found.head)


def test_grafts_and_replacements_hide_nothing(git: Git, tmp_path: Path) -> None:
    repository = repos.make_traps(tmp_path / "traps.git")
    found = open_local(git, repository)
    assert count(git, found.path, found.head).total_commits > 70


def test_a_walk_that_was_begun_counts_the_same_and_ends_with_its_source(git: Git, tmp_path: Path) -> None:
    repository = repos.make_bare(tmp_path / "r.git")
    head = repos.chain(repository, [repos.ALICE] * 5)
    source = PathSource(git, repository, begin=True)
    for _ in range(2):
        # The second time none has begun.
        with source.open(some_repository(), lambda *_: None, threading.Event()) as history:
            assert history.count(None).total_commits == 5
    source = PathSource(git, repository, begin=True)
    with source.open(some_repository(), lambda *_: None, threading.Event()) as history:
        assert history.count(head).total_commits == 0
    source = PathSource(git, repository, begin=True)
    walk = source._walk
    assert walk is not None
    source.close()
    assert walk._pipeline._sink.returncode is not None
