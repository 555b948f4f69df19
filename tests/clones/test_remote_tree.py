"""One tree asked of a host without git: what it saves, and that git is asked whenever something is unusual."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from podium.clones import remote_tree
from podium.clones.mirrors import Mirrors
from podium.history.count import committed_at
from tests.clones.test_mirrors import opening, server_git
from tests.support import repos
from tests.support.githttp import Fault, GitHost


def mirrors_in(folder: Path) -> Mirrors:
    return Mirrors(folder / "mirrors", server_git(), resolve=lambda _: None)


def with_files(host: GitHost, **files: bytes) -> Path:
    repository = repos.make_bare(host.folder / "o" / "r.git")
    repos.set_branch(repository, repos.commit(repository, tree=repos.write_tree(repository, files)))
    return repository


def posts(host: GitHost) -> int:
    return sum(request.startswith("POST") for request in host.requests)


def test_a_repository_without_mailmap_takes_one_request_more_than_a_clone(tmp_path: Path, host: GitHost) -> None:
    with_files(host, README=b"hello")
    with opening(mirrors_in(tmp_path), host) as mirror:
        assert (mirror.mailmap, mirror.note) == (None, None)
        assert mirror.incoming is not None
        content = mirror.incoming.commit(mirror.head)
        when = committed_at(server_git(), mirror.path, mirror.head, content=content)
        assert content is not None
        assert when == committed_at(server_git(), mirror.path, mirror.head)
        kinds = repos.git(mirror.path, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split()
        assert set(kinds) == {b"commit"}
    assert posts(host) == 3
    assert sum("info/refs" in request for request in host.requests) == 1


def test_a_mailmap_is_fetched_by_git(tmp_path: Path, host: GitHost) -> None:
    repository = with_files(host, **{".mailmap": b"Alice <alice@x>\n"})
    with opening(mirrors_in(tmp_path), host) as mirror:
        assert mirror.mailmap == repos.git(repository, "rev-parse", "main:.mailmap").decode().strip()


def test_an_empty_tree_needs_no_request(tmp_path: Path, host: GitHost) -> None:
    repos.chain(repos.make_bare(host.folder / "o" / "r.git"), [repos.ALICE])
    with opening(mirrors_in(tmp_path), host) as mirror:
        assert mirror.mailmap is None
    assert posts(host) == 2


def test_a_host_of_the_old_protocol_is_asked_by_git(tmp_path: Path, host: GitHost) -> None:
    repository = with_files(host, **{".mailmap": b"Alice <alice@x>\n"})
    host.old_protocol = True
    with opening(mirrors_in(tmp_path), host) as mirror:
        assert mirror.mailmap == repos.git(repository, "rev-parse", "main:.mailmap").decode().strip()


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", "git-upload-pack"),
        Fault("status", "git-upload-pack", status=302, location="http://example.org/"),
        Fault("cut", "git-upload-pack", after=60),
    ],
)
def test_nothing_unusual_is_taken_for_an_answer(host: GitHost, fault: Fault) -> None:
    repository = with_files(host, README=b"hello")
    tree = repos.git(repository, "rev-parse", "main^{tree}").decode().strip()
    url = f"{host.url}/o/r.git"
    found = remote_tree.ask_for_tree(url, tree, None)
    assert found is not None
    assert remote_tree.may_have(found, b"README")
    assert not remote_tree.may_have(found, b".mailmap")
    host.faults.append(fault)
    assert remote_tree.ask_for_tree(url, tree, None) is None


def test_only_the_wanted_object_is_believed(host: GitHost) -> None:
    repository = with_files(host, README=b"hello")
    commit, blob = repos.git(repository, "rev-parse", "main", "main:README").decode().split()
    for oid in (commit, blob, "0" * 40):
        assert remote_tree.ask_for_tree(f"{host.url}/o/r.git", oid, None) is None


def test_the_address_that_was_checked_is_the_one_that_is_asked(host: GitHost) -> None:
    repository = with_files(host, README=b"hello")
    tree = repos.git(repository, "rev-parse", "main^{tree}").decode().strip()
    port = host.url.rpartition(":")[2]
    url = f"http://git.example.org:{port}/o/r.git"
    assert remote_tree.ask_for_tree(url, tree, f"git.example.org:{port}:127.0.0.1,192.0.2.1") is not None
    stop = threading.Event()
    stop.set()
    assert remote_tree.ask_for_tree(url, tree, f"git.example.org:{port}:127.0.0.1", stop) is None


@pytest.mark.parametrize("tree", [b"100644", b"100644 a\0short", b"\0" * 50])
def test_a_damaged_tree_is_left_to_git(tree: bytes) -> None:
    assert remote_tree.may_have(tree, b".mailmap")
