"""Small histories and single objects without git: what it saves, and that git is asked if something is unusual."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from podium.clones import upload_pack
from podium.clones.mirrors import Mirrors
from podium.clones.upload_pack import UploadPack, tree_entry
from podium.history.count import committed_at, count
from tests.clones.test_mirrors import counted, failure, names_in, opening, server_git
from tests.support import repos
from tests.support.githttp import Fault, GitHost

README = {"README": b"hello"}


def mirrors_in(folder: Path, **limits: float) -> Mirrors:
    return Mirrors(folder / "mirrors", server_git(**limits), resolve=lambda _: None)


def with_files(host: GitHost, files: dict[str, bytes], *, parents: int = 0) -> Path:
    repository = repos.make_bare(host.folder / "o" / "r.git")
    head = [repos.chain(repository, [repos.ALICE] * parents)] if parents else []
    repos.set_branch(repository, repos.commit(repository, head, tree=repos.write_tree(repository, files)))
    return repository


def objects(folder: Path) -> list[str]:
    kinds = repos.git(folder, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)")
    return sorted(kinds.decode().split())


def test_a_small_repository_takes_as_many_requests_as_a_clone(tmp_path: Path, host: GitHost) -> None:
    repository = with_files(host, README, parents=2)
    with opening(mirrors_in(tmp_path), host) as mirror:
        head = repos.git(repository, "rev-parse", "main").decode().strip()
        assert (mirror.head, mirror.branch, mirror.mailmap, mirror.note) == (head, "main", None, None)
        assert mirror.incoming is not None
        assert count(server_git(), mirror.path, mirror.head, incoming=mirror.incoming).total_commits == 3
        content = mirror.incoming.commit(mirror.head)
        assert content is not None
        when = committed_at(server_git(), mirror.path, mirror.head, content=content)
        assert when == committed_at(server_git(), mirror.path, mirror.head)
        assert objects(mirror.path) == ["commit"] * 3
    assert [request.partition(" ")[0] for request in host.requests] == ["POST"] * 3


def test_git_refreshes_what_was_cloned_without_it(tmp_path: Path, host: GitHost) -> None:
    repository = with_files(host, README, parents=2)
    mirrors = mirrors_in(tmp_path)
    with opening(mirrors, host) as mirror:
        first = mirror.head
    tree = repos.write_tree(repository, {".mailmap": b"Alice <alice@x>\n"})
    repos.set_branch(repository, repos.commit(repository, [first], tree=tree))
    with opening(mirrors, host) as mirror:
        assert counted(mirror) == 4
        assert mirror.mailmap == repos.git(repository, "rev-parse", "main:.mailmap").decode().strip()
    host.requests.clear()
    with opening(mirrors, host) as mirror:
        assert (counted(mirror), mirror.mailmap is None) == (4, False)
    assert sum(request.startswith("POST") for request in host.requests) == 1


def test_more_generations_are_left_to_git(tmp_path: Path, host: GitHost, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = with_files(host, README, parents=5)
    head = repos.git(repository, "rev-parse", "main").decode().strip()
    monkeypatch.setattr(upload_pack, "_DEPTH", 5)
    assert UploadPack(f"{host.url}/o/r.git", None).history(head) is None
    with opening(mirrors_in(tmp_path), host) as mirror:
        assert counted(mirror) == 6
    monkeypatch.setattr(upload_pack, "_DEPTH", 7)
    assert UploadPack(f"{host.url}/o/r.git", None).history(head) is not None


@pytest.mark.parametrize("size", [10, 5 << 20])
def test_a_mailmap_is_one_request_more(tmp_path: Path, host: GitHost, size: int) -> None:
    lines = b"Alice <alice@x>\n#" + os.urandom(size).replace(b"\n", b"") + b"\n"
    repository = with_files(host, {".mailmap": lines})
    with opening(mirrors_in(tmp_path), host) as mirror:
        if size == 10:
            assert mirror.mailmap == repos.git(repository, "rev-parse", "main:.mailmap").decode().strip()
            assert repos.git(mirror.path, "cat-file", "blob", mirror.mailmap) == lines
            assert len(host.requests) == 4
        else:
            assert mirror.mailmap is None
            assert "larger than 4 MiB" in str(mirror.note)


def test_a_mailmap_of_too_many_lines_is_not_applied(tmp_path: Path, host: GitHost) -> None:
    with_files(host, {".mailmap": b"A <a@x> <b@x>\n" * 20_001})
    with opening(mirrors_in(tmp_path), host) as mirror:
        assert mirror.mailmap is None
        assert "20,000 lines" in str(mirror.note)


def test_an_empty_tree_needs_no_request(tmp_path: Path, host: GitHost) -> None:
    repos.chain(repos.make_bare(host.folder / "o" / "r.git"), [repos.ALICE])
    with opening(mirrors_in(tmp_path), host) as mirror:
        assert mirror.mailmap is None
    assert len(host.requests) == 2


@pytest.mark.parametrize("what", ["old protocol", "no filter", "sha256", "detached"])
def test_an_unusual_host_or_repository_is_counted_all_the_same(tmp_path: Path, host: GitHost, what: str) -> None:
    host.old_protocol = what == "old protocol"
    if what == "no filter":
        host.configuration["uploadpack.allowFilter"] = "false"
    repository = repos.make_bare(host.folder / "o" / "r.git", object_format="sha256" if what == "sha256" else "sha1")
    tree = repos.write_tree(repository, {".mailmap": b"Alice <alice@x>\n"})
    repos.set_branch(repository, repos.commit(repository, tree=tree))
    if what == "detached":
        repos.git(
            repository, "update-ref", "--no-deref", "HEAD", repos.git(repository, "rev-parse", "main").decode().strip()
        )
    with opening(mirrors_in(tmp_path), host) as mirror:
        assert (counted(mirror), mirror.branch) == (1, None if what == "detached" else "main")
        assert mirror.mailmap == repos.git(repository, "rev-parse", "main:.mailmap").decode().strip()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault("status", "git-upload-pack"), "host-error"),
        (Fault("status", "git-upload-pack", status=302, location="http://example.org/"), "redirected"),
        (Fault("status", "git-upload-pack", status=404), "missing"),
        (Fault("cut", "r.git/git-upload-pack", after=60), "interrupted-transfer"),
        (Fault("cut", "r.git/git-upload-pack", after=500), "interrupted-transfer"),
    ],
)
def test_nothing_unusual_is_taken_for_an_answer(tmp_path: Path, host: GitHost, fault: Fault, code: str) -> None:
    repository = with_files(host, README, parents=4)
    head, tree = repos.git(repository, "rev-parse", "main", "main^{tree}").decode().split()
    found = UploadPack(f"{host.url}/o/r.git", None).object("tree", tree)
    assert found is not None
    assert tree_entry(found, b"README") is not None
    assert tree_entry(found, b".mailmap") is None
    host.faults.append(fault)
    asked = UploadPack(f"{host.url}/o/r.git", None)
    assert (asked.head() if fault.after < 100 else None, asked.history(head)) == (None, None)
    # git says what went wrong.
    assert failure(mirrors_in(tmp_path), host).code == code
    assert names_in(tmp_path) == []
    host.faults.clear()
    with opening(mirrors_in(tmp_path), host) as mirror:
        assert counted(mirror) == 5


@pytest.mark.parametrize("harm", [b"PACK\0\0\0\2\0\0\0\3", b"noise"])
def test_a_pack_that_is_damaged_is_fetched_again_by_git(
    tmp_path: Path, host: GitHost, monkeypatch: pytest.MonkeyPatch, harm: bytes
) -> None:
    with_files(host, README, parents=2)
    whole = UploadPack.history
    monkeypatch.setattr(UploadPack, "history", lambda self, oid: harm + (whole(self, oid) or b"")[12:])
    with opening(mirrors_in(tmp_path), host) as mirror:
        assert counted(mirror) == 3


def test_a_pack_without_a_parent_is_fetched_again_by_git(
    tmp_path: Path, host: GitHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = with_files(host, README, parents=2)
    first = repos.git(repository, "rev-list", "--max-parents=0", "main").decode().strip()
    whole = UploadPack.history
    monkeypatch.setattr(UploadPack, "history", lambda self, oid: whole(self, first))
    with opening(mirrors_in(tmp_path), host) as mirror:
        assert counted(mirror) == 3


def test_a_small_repository_that_is_larger_than_allowed_is_refused(tmp_path: Path, host: GitHost) -> None:
    with_files(host, README, parents=2)
    assert failure(mirrors_in(tmp_path, repository_bytes=4096), host).code == "too-large"


def test_only_the_wanted_object_is_believed(host: GitHost) -> None:
    repository = with_files(host, README)
    commit, blob = repos.git(repository, "rev-parse", "main", "main:README").decode().split()
    asked = UploadPack(f"{host.url}/o/r.git", None)
    assert asked.object("blob", blob) == b"hello"
    for oid in (commit, blob, "0" * 40):
        assert asked.object("tree", oid) is None


def test_the_address_that_was_checked_is_the_one_that_is_asked(host: GitHost) -> None:
    with_files(host, README)
    port = host.url.rpartition(":")[2]
    url = f"http://git.example.org:{port}/o/r.git"
    assert UploadPack(url, f"git.example.org:{port}:127.0.0.1,192.0.2.1").head() is not None


def test_a_host_that_says_nothing_is_left_when_the_work_is_stopped(host: GitHost) -> None:
    with_files(host, README)
    host.faults.append(Fault("stall", "git-upload-pack"))
    stop = threading.Event()

    def stop_when_asked() -> None:
        host.wait_for_request("POST")
        stop.set()

    setter = threading.Thread(target=stop_when_asked)
    setter.start()
    assert UploadPack(f"{host.url}/o/r.git", None, stop).head() is None
    setter.join()


def test_an_answer_has_one_deadline_however_its_bytes_come(host: GitHost, monkeypatch: pytest.MonkeyPatch) -> None:
    with_files(host, README)
    monkeypatch.setattr(upload_pack, "_DEADLINE", 0.0)
    assert UploadPack(f"{host.url}/o/r.git", None).head() is None


@pytest.mark.parametrize("tree", [b"100644", b"100644 a\0short", b"\0" * 50])
def test_a_damaged_tree_is_left_to_git(tree: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        tree_entry(tree, b".mailmap")
