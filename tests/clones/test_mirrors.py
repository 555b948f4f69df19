"""Mirrors over real smart HTTP: first time, refresh, redirects, faults, room on disk."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from podium.clones.mailmaps.mailmap import Mailmaps, identities
from podium.clones.mirrors import Mirror, Mirrors
from podium.errors import HistoryError, Interrupted
from podium.git.command import Git
from podium.git.limits import Limits, bytes_on_disk
from podium.history.count import count
from tests.support import repos
from tests.support.githttp import Fault, GitHost


@pytest.fixture
def repository(host: GitHost) -> Path:
    repository = repos.make_bare(host.folder / "o" / "r.git")
    repos.chain(repository, [repos.ALICE, repos.BOB, repos.BOB])
    return repository


def server_git(**limits: float) -> Git:
    chosen = {"timeout": 60, "idle_timeout": 30, "memory": 4 << 30, "repository_bytes": 1 << 30, "disk_reserve": 1}
    everything = Limits(**{**chosen, **limits})  # type: ignore[arg-type]
    return Git.for_server(everything, search_path=os.environ["PATH"], protocols=("http",))


def mirrors_in(folder: Path, *, cache_bytes: int | None = None, **limits: float) -> Mirrors:
    return Mirrors(folder / "mirrors", server_git(**limits), cache_bytes=cache_bytes)


def opening(
    mirrors: Mirrors,
    host: GitHost,
    path: str = "o/r.git",
    *,
    revision: str | None = None,
    stop: threading.Event | None = None,
    reported: list[str] | None = None,
) -> contextlib.AbstractContextManager[Mirror]:
    owner, _, name = path.removesuffix(".git").rpartition("/")
    return mirrors.open(
        host="127.0.0.1",
        owner=owner,
        name=name,
        key=f"127.0.0.1/{path}",
        url=f"{host.url}/{path}",
        revision=revision,
        progress=lambda phase, *_: reported.append(phase) if reported is not None else None,
        stop=stop,
    )


def failure(mirrors: Mirrors, host: GitHost, path: str = "o/r.git", *, revision: str | None = None) -> HistoryError:
    with pytest.raises(HistoryError) as caught, opening(mirrors, host, path, revision=revision):
        pass
    return caught.value


def counted(mirror: Mirror) -> int:
    return count(server_git(), mirror.path, mirror.head).total_commits


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "mirrors").glob("*.git"))


def test_the_first_time_clones_commits_and_no_files(tmp_path: Path, host: GitHost, repository: Path) -> None:
    reported: list[str] = []
    with opening(mirrors_in(tmp_path), host, reported=reported) as mirror:
        assert (mirror.branch, mirror.url) == ("main", f"{host.url}/o/r.git")
        assert mirror.head == repos.git(repository, "rev-parse", "main").decode().strip()
        assert counted(mirror) == 3
        kinds = repos.git(mirror.path, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split()
        assert kinds.count(b"commit") == 3
        assert kinds.count(b"tree") <= 1
        assert b"http" not in (mirror.path / "config").read_bytes()
    assert "receiving" in reported
    assert [path.name for path in (tmp_path / "mirrors").glob("incoming*")] == []


@pytest.mark.parametrize("old_protocol", [False, True])
@pytest.mark.parametrize("branch", ["main", "a/b", "HEAD", None])
def test_the_first_fetch_does_not_ask_for_the_head_before(
    tmp_path: Path, host: GitHost, repository: Path, old_protocol: bool, branch: str | None
) -> None:
    head = repos.chain(repository, [repos.ALICE] * 5, branch=branch or "detached")
    if branch:
        repos.git(repository, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    else:
        repos.git(repository, "update-ref", "--no-deref", "HEAD", head)
    host.old_protocol = old_protocol
    with opening(mirrors_in(tmp_path), host) as mirror:
        assert (mirror.head, mirror.branch, counted(mirror)) == (head, branch, 5)
        assert mirror.incoming is not None
        assert (mirror.incoming.fault, sorted(path.name for path in mirror.path.glob("*packets*"))) == (None, [])
    # One look and one transfer for the commits, and at most the same again for the tree.
    assert sum("info/refs" in request for request in host.requests) <= 2


def test_a_trace_that_cannot_be_read_is_made_up_for_by_asking(
    tmp_path: Path, host: GitHost, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("podium.clones.remote._TRACED_HEAD", re.compile(rb"another version of git"))
    with opening(mirrors_in(tmp_path), host) as mirror:
        assert (mirror.branch, counted(mirror)) == ("main", 3)


def test_a_refresh_brings_what_is_new_and_what_was_rewritten(tmp_path: Path, host: GitHost, repository: Path) -> None:
    mirrors = mirrors_in(tmp_path)
    with opening(mirrors, host) as mirror:
        first = mirror.head
    repos.chain(repository, [repos.ALICE], [first])
    with opening(mirrors, host) as mirror:
        assert counted(mirror) == 4
    repos.chain(repository, [repos.BOB])
    with opening(mirrors, host) as mirror:
        assert counted(mirror) == 1


def test_a_refresh_follows_the_default_branch(tmp_path: Path, host: GitHost, repository: Path) -> None:
    mirrors = mirrors_in(tmp_path)
    with opening(mirrors, host):
        pass
    other = repos.chain(repository, [repos.ALICE] * 5, branch="dev/next")
    repos.git(repository, "symbolic-ref", "HEAD", "refs/heads/dev/next")
    with opening(mirrors, host) as mirror:
        assert (mirror.branch, mirror.head, counted(mirror)) == ("dev/next", other, 5)


def test_nothing_is_fetched_where_nothing_changed(tmp_path: Path, host: GitHost, repository: Path) -> None:
    mirrors = mirrors_in(tmp_path)
    with opening(mirrors, host):
        pass
    host.requests.clear()
    with opening(mirrors, host) as mirror:
        assert counted(mirror) == 3
    assert len([request for request in host.requests if request.startswith("POST")]) == 1


def test_a_head_that_names_no_branch_is_counted(tmp_path: Path, host: GitHost, repository: Path) -> None:
    old = repos.git(repository, "rev-parse", "main~1").decode().strip()
    (repository / "HEAD").write_text(old + "\n")
    with opening(mirrors_in(tmp_path), host) as mirror:
        assert (mirror.branch, mirror.head, counted(mirror)) == (None, old, 2)


def test_a_sha256_repository_is_mirrored(tmp_path: Path, host: GitHost) -> None:
    repository = repos.make_bare(host.folder / "o" / "long.git", object_format="sha256")
    repos.chain(repository, [repos.ALICE, repos.BOB])
    with opening(mirrors_in(tmp_path), host, "o/long.git") as mirror:
        assert counted(mirror) == 2


def test_two_repositories_of_one_name_never_meet(tmp_path: Path, host: GitHost) -> None:
    mirrors = mirrors_in(tmp_path)
    for owner, number in (("a", 1), ("A", 2), ("a+b", 3), ("..", 4), ("a/b", 5)):
        repository = repos.make_bare(host.folder / owner.replace("..", "dots") / "r.git")
        repos.chain(repository, [repos.ALICE] * number)
    for owner, number in (("a", 1), ("A", 2), ("a+b", 3), ("dots", 4), ("a/b", 5)):
        with opening(mirrors, host, f"{owner}/r.git") as mirror:
            assert counted(mirror) == number
            assert mirror.path.parent == tmp_path / "mirrors"
    assert len(names_in(tmp_path)) == 5


@pytest.mark.parametrize("hostile", ["..", "../../x", "a/../b", ".", "-x", "a\nb", "x" * 300, "ü" * 100, ""])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, host: GitHost, repository: Path, hostile: str) -> None:
    mirrors = mirrors_in(tmp_path)
    with mirrors.open(
        host=hostile, owner=hostile, name=hostile, key=hostile, url=f"{host.url}/o/r.git", progress=lambda *_: None
    ) as mirror:
        assert mirror.path.parent == tmp_path / "mirrors"
    assert len(names_in(tmp_path)) == 1


# --- the mailmap ---


def test_the_mailmap_is_fetched_with_two_objects(tmp_path: Path, host: GitHost) -> None:
    repository = repos.make_bare(host.folder / "o" / "mapped.git")
    files = {".mailmap": b"Proper <p@x> <alice@example.org>\n", **{f"f{n}": b"%d" % n for n in range(50)}}
    trees = [repos.write_tree(repository, {**files, "new": b"%d" % n}) for n in range(20)]
    head: list[str] = []
    for tree in trees:
        head = [repos.commit(repository, head, tree=tree)]
    repos.set_branch(repository, head[0])
    with opening(mirrors_in(tmp_path), host, "o/mapped.git") as mirror:
        assert (mirror.note, counted(mirror)) == (None, 20)
        found = identities(server_git(), mirror.path, Mailmaps(mirror.mailmap), [("Alice", "alice@example.org")])
        assert found["Alice", "alice@example.org"].email == "p@x"
        assert len(repos.git(mirror.path, "cat-file", "--batch-all-objects", "--batch-check").split(b"\n")[:-1]) == 22


def test_a_mailmap_that_is_no_file_or_too_large_is_not_applied(tmp_path: Path, host: GitHost) -> None:
    mirrors = mirrors_in(tmp_path)
    for name, content, mode in (("link", b"file", "120000"), ("large", b"#" * (5 << 20), "100644")):
        repository = repos.make_bare(host.folder / "o" / f"{name}.git")
        tree = repos.write_tree(repository, {".mailmap": content}, mode)
        repos.set_branch(repository, repos.commit(repository, tree=tree))
        with opening(mirrors, host, f"o/{name}.git") as mirror:
            assert mirror.mailmap is None
            assert (mirror.note is not None) == (name == "large")
            assert counted(mirror) == 1


def test_a_mailmap_that_cannot_be_had_just_now_is_a_fault_to_be_tried_again(tmp_path: Path, host: GitHost) -> None:
    repository = repos.make_bare(host.folder / "o" / "r.git")
    tree = repos.write_tree(repository, {".mailmap": b"Proper <p@x> <alice@example.org>\n"})
    repos.set_branch(repository, repos.commit(repository, tree=tree))
    mirrors = mirrors_in(tmp_path)

    def away_after_the_commits(*_: object) -> None:
        host.faults[:] = [Fault("status", "git-upload-pack", 503)]

    where: dict[str, Any] = {"host": "127.0.0.1", "owner": "o", "name": "r", "key": "o/r", "url": f"{host.url}/o/r.git"}
    with pytest.raises(HistoryError) as caught, mirrors.open(**where, progress=away_after_the_commits):
        pass
    assert caught.value.transient
    host.faults.clear()
    with mirrors.open(**where, progress=lambda *_: None) as mirror:
        assert mirror.mailmap is not None


def test_what_could_never_be_cloned_leaves_nothing_behind(tmp_path: Path, host: GitHost) -> None:
    mirrors = mirrors_in(tmp_path)
    assert failure(mirrors, host, "o/missing.git").code == "missing"
    assert list((tmp_path / "mirrors").glob("mirror*")) == []


def test_a_host_that_refuses_single_objects_is_counted_without_mailmap(tmp_path: Path, host: GitHost) -> None:
    repository = repos.make_bare(host.folder / "o" / "refusing.git")
    tree = repos.write_tree(repository, {".mailmap": b"Proper <p@x> <alice@example.org>\n"})
    repos.set_branch(repository, repos.commit(repository, tree=tree))
    host.old_protocol = True
    host.configuration["uploadpack.allowAnySHA1InWant"] = "false"
    with opening(mirrors_in(tmp_path), host, "o/refusing.git") as mirror:
        assert mirror.mailmap is None
        assert mirror.note is not None
        assert "mailmap" in mirror.note
        assert counted(mirror) == 1


# --- what can be wrong ---


def test_an_empty_repository(tmp_path: Path, host: GitHost) -> None:
    repos.make_bare(host.folder / "o" / "empty.git")
    assert failure(mirrors_in(tmp_path), host, "o/empty.git").code == "empty"


def test_a_default_branch_that_does_not_exist(tmp_path: Path, host: GitHost, repository: Path) -> None:
    repos.git(repository, "symbolic-ref", "HEAD", "refs/heads/gone")
    assert failure(mirrors_in(tmp_path), host).code == "no-default-branch"


def test_a_missing_or_private_repository(tmp_path: Path, host: GitHost, repository: Path) -> None:
    mirrors = mirrors_in(tmp_path)
    error = failure(mirrors, host, "o/none.git")
    assert (error.code, error.transient) == ("missing", False)
    host.faults.append(Fault("status", "info/refs", status=401))
    assert failure(mirrors, host).code == "missing"


def test_a_host_that_is_away_or_ill(tmp_path: Path, host: GitHost, repository: Path) -> None:
    mirrors = mirrors_in(tmp_path)
    host.faults.append(Fault("status", "info/refs", status=503, times=1))
    error = failure(mirrors, host)
    assert (error.code, error.transient) == ("host-error", True)
    away = GitHost("http://127.0.0.1:1", host.folder)
    error = failure(mirrors, away)
    assert (error.code, error.transient) == ("unreachable", True)
    with opening(mirrors, host) as mirror:
        assert counted(mirror) == 3


def test_an_address_with_something_else_than_a_repository(tmp_path: Path, host: GitHost) -> None:
    host.faults.append(Fault("status", "page", status=200, body=b"<html>hello</html>\n"))
    assert failure(mirrors_in(tmp_path), host, "page").code == "not-a-repository"


@pytest.mark.parametrize("after", [0, 60, 500])
def test_a_transfer_that_breaks_off_leaves_nothing_and_can_be_tried_again(
    tmp_path: Path, host: GitHost, repository: Path, after: int
) -> None:
    mirrors = mirrors_in(tmp_path)
    host.faults.append(Fault("cut", "r.git/git-upload-pack", after=after))
    error = failure(mirrors, host)
    assert (error.code, error.transient) == ("interrupted-transfer", True)
    assert names_in(tmp_path) == []
    assert list((tmp_path / "mirrors").glob("incoming*")) == []
    host.faults.clear()
    with opening(mirrors, host) as mirror:
        assert counted(mirror) == 3


def test_a_host_that_stands_still_is_given_up(tmp_path: Path, host: GitHost, repository: Path) -> None:
    host.faults.append(Fault("stall", "git-upload-pack"))
    error = failure(mirrors_in(tmp_path, idle_timeout=0.2), host)
    assert (error.code, error.transient) == ("interrupted-transfer", True)


def test_stop_ends_a_transfer(tmp_path: Path, host: GitHost, repository: Path) -> None:
    host.faults.append(Fault("stall", "r.git/git-upload-pack"))
    stop = threading.Event()

    def stop_when_asked() -> None:
        host.wait_for_request("POST")
        stop.set()

    setter = threading.Thread(target=stop_when_asked)
    setter.start()
    with pytest.raises(Interrupted), opening(mirrors_in(tmp_path), host, stop=stop):
        pass
    setter.join()


def test_a_repository_that_is_too_large_is_refused_and_removed(tmp_path: Path, host: GitHost, repository: Path) -> None:
    error = failure(mirrors_in(tmp_path, repository_bytes=4096), host)
    assert error.code == "too-large"
    assert names_in(tmp_path) == []


def test_a_repository_that_grew_too_large_leaves_nothing_behind(
    tmp_path: Path, host: GitHost, repository: Path
) -> None:
    with opening(mirrors_in(tmp_path), host) as mirror:
        size = bytes_on_disk(mirror.path)
    head = repos.git(repository, "rev-parse", "main").decode().strip()
    message = os.urandom(200_000).hex().encode()
    repos.set_branch(repository, repos.commit(repository, [head], message=message))
    assert failure(mirrors_in(tmp_path, repository_bytes=size + 50_000), host).code == "too-large"
    assert names_in(tmp_path) == []


def test_a_shallow_repository_is_refused(tmp_path: Path, host: GitHost, repository: Path) -> None:
    head = repos.git(repository, "rev-parse", "main").decode()
    (repository / "shallow").write_text(head)
    assert failure(mirrors_in(tmp_path), host).code == "shallow"


def test_a_shallow_repository_without_its_history_does_not_make_git_fetch_without_end(
    tmp_path: Path, host: GitHost, repository: Path
) -> None:
    shallow = host.folder / "o" / "s.git"
    repos.git(shallow, "clone", "-q", "--bare", "--depth=1", f"file://{repository}", str(shallow))
    assert failure(mirrors_in(tmp_path), host, "o/s.git").code == "shallow"


# --- redirects ---


def test_a_default_branch_may_take_the_old_ones_name_as_its_folder(
    tmp_path: Path, host: GitHost, repository: Path
) -> None:
    mirrors = mirrors_in(tmp_path)
    with opening(mirrors, host) as mirror:
        assert mirror.branch == "main"
    for old, new in (("main", "main/next"), ("main/next", "main")):
        # git itself cannot rename across this conflict in one step either.
        repos.git(repository, "branch", "-m", old, "between")
        repos.git(repository, "branch", "-m", "between", new)
        repos.git(repository, "symbolic-ref", "HEAD", f"refs/heads/{new}")
        with opening(mirrors, host) as mirror:
            assert (mirror.branch, counted(mirror)) == (new, 3)


def test_a_repository_that_was_renamed_is_followed_on_its_own_host(
    tmp_path: Path, host: GitHost, repository: Path
) -> None:
    moved = f"{host.url}/o/r.git/info/refs?service=git-upload-pack"
    host.faults += [
        Fault("status", "old.git", status=301, location=f"{host.url}/o/older.git/info/refs?service=git-upload-pack"),
        Fault("status", "older.git", status=302, location=moved.removeprefix(host.url)),
    ]
    with opening(mirrors_in(tmp_path), host, "o/old.git") as mirror:
        assert mirror.url == f"{host.url}/o/r.git"
        assert counted(mirror) == 3


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/o/r.git/info/refs?service=git-upload-pack",
        "https://127.0.0.1/o/r.git/info/refs",
        "http://localhost:{port}/o/r.git/info/refs?service=git-upload-pack",
        "http://user@127.0.0.1:{port}/o/r.git/info/refs?service=git-upload-pack",
        "http://127.0.0.1:0{port}/o/r.git/info/refs?service=git-upload-pack",
        "http://127.1:{port}/o/r.git/info/refs?service=git-upload-pack",
        "file:///etc/info/refs",
        "/login",
        "/login?return_to=/o/r.git/info/refs?service=git-upload-pack",
        "/login#/o/r.git/info/refs?service=git-upload-pack",
        "/o/r.git/info/refs?service=git-upload-pack&more=1",
        "/o/r.git/info/refs?service=git-receive-pack",
        "/o/r.git/info/refs",
        "/o/r.git/info/refs/more?service=git-upload-pack",
        "/o/r.git/x/../../r.git/%2e%2e/r.git/info/refs?service=git-upload-pack",
        "/o//r.git/info/refs?service=git-upload-pack",
        "/info/refs?service=git-upload-pack",
        "http://[/o/r.git/info/refs?service=git-upload-pack",
    ],
)
def test_no_redirect_leads_elsewhere_than_to_a_repository_of_its_origin(
    tmp_path: Path, host: GitHost, repository: Path, location: str
) -> None:
    target = location.replace("{port}", host.url.rpartition(":")[2])
    host.faults.append(Fault("status", "old.git", status=301, location=target))
    error = failure(mirrors_in(tmp_path), host, "o/old.git")
    assert error.code == "redirected"
    assert not any("o/r.git" in request for request in host.requests)


def test_redirects_without_end_are_given_up(tmp_path: Path, host: GitHost) -> None:
    host.faults.append(Fault("status", "loop.git", status=301, location="/o/loop.git/info/refs"))
    assert failure(mirrors_in(tmp_path), host, "o/loop.git").code == "redirected"


# --- the cache ---


@pytest.mark.parametrize("harm", ["pack", "head", "objects", "config"])
def test_a_damaged_mirror_is_cloned_again(tmp_path: Path, host: GitHost, repository: Path, harm: str) -> None:
    mirrors = mirrors_in(tmp_path)
    with opening(mirrors, host) as mirror:
        path = mirror.path
    for file in path.glob("objects/pack/*"):
        file.chmod(0o600)
        if harm == "pack":
            file.write_bytes(b"noise")
    if harm == "head":
        (path / "HEAD").write_text("noise\n")
    if harm == "objects":
        shutil.rmtree(path / "objects")
    if harm == "config":
        (path / "config").write_text("noise [[[\n")
    with opening(mirrors, host) as mirror:
        assert counted(mirror) == 3


def test_a_discarded_mirror_is_cloned_again(tmp_path: Path, host: GitHost, repository: Path) -> None:
    mirrors = mirrors_in(tmp_path)
    with opening(mirrors, host) as mirror:
        mirror.discard()
        assert not mirror.path.exists()
    with opening(mirrors, host) as mirror:
        assert counted(mirror) == 3


def test_what_a_killed_git_left_behind_does_no_harm(tmp_path: Path, host: GitHost, repository: Path) -> None:
    mirrors = mirrors_in(tmp_path)
    with opening(mirrors, host) as mirror:
        path = mirror.path
    for name in ("HEAD.lock", "config.lock", "refs/heads/main.lock", "objects/pack/tmp_pack_abc"):
        (path / name).write_bytes(b"")
    repos.chain(repository, [repos.ALICE] * 4)
    with opening(mirrors, host) as mirror:
        assert counted(mirror) == 4
    assert not list(path.rglob("*.lock")) + list(path.rglob("tmp_*"))


def test_what_a_dead_process_was_cloning_is_swept(tmp_path: Path, host: GitHost, repository: Path) -> None:
    folder = tmp_path / "mirrors"
    for name in ("dead", "alive"):
        (folder / f"incoming-{name}").mkdir(parents=True)
        (folder / f"incoming-{name}.lock").write_bytes(b"")
    with (folder / "incoming-alive.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with opening(mirrors_in(tmp_path), host):
            pass
    assert not (folder / "incoming-dead").exists()
    assert (folder / "incoming-alive").exists()


def test_a_mirror_in_use_is_waited_for(tmp_path: Path, host: GitHost, repository: Path) -> None:
    mirrors = mirrors_in(tmp_path)
    stop = threading.Event()
    stop.set()
    with opening(mirrors, host), pytest.raises(Interrupted), opening(mirrors, host, stop=stop):
        pass
    opened = threading.Event()

    def open_too() -> None:
        with opening(mirrors, host):
            opened.set()

    other = threading.Thread(target=open_too)
    with opening(mirrors, host):
        other.start()
        assert not opened.wait(0.3)
    other.join()
    assert opened.is_set()


def test_the_least_recently_used_goes_first_and_none_in_use(tmp_path: Path, host: GitHost) -> None:
    for name in ("a", "b", "c"):
        repos.chain(repos.make_bare(host.folder / "o" / f"{name}.git"), [repos.ALICE])
    mirrors = mirrors_in(tmp_path)
    for age, name in enumerate(("c", "b", "a")):
        with opening(mirrors, host, f"o/{name}.git") as mirror:
            path = mirror.path
        os.utime(path, (1_000_000 + age, 1_000_000 + age))
    size = bytes_on_disk(path)
    with opening(mirrors, host, "o/c.git"):
        # c is the newest now, b the oldest.
        with opening(mirrors_in(tmp_path, cache_bytes=2 * size + size // 2), host, "o/a.git"):
            pass
        assert [name.split("+")[3][0] for name in names_in(tmp_path)] == ["a", "c"]
        with opening(mirrors_in(tmp_path, cache_bytes=0), host, "o/a.git"):
            pass
        assert [name.split("+")[3][0] for name in names_in(tmp_path)] == ["c"]
    assert not any("+a-" in lock.name for lock in (tmp_path / "mirrors").glob("*.lock"))


def test_a_disk_without_room_gives_up_old_mirrors_and_then_says_so(
    tmp_path: Path, host: GitHost, repository: Path
) -> None:
    repos.chain(repos.make_bare(host.folder / "o" / "old.git"), [repos.ALICE])
    with opening(mirrors_in(tmp_path), host, "o/old.git"):
        pass
    error = failure(mirrors_in(tmp_path, disk_reserve=1 << 60), host)
    assert (error.code, names_in(tmp_path)) == ("disk-full", [])


def test_the_address_that_was_checked_is_the_one_that_git_connects_to(
    tmp_path: Path, host: GitHost, repository: Path
) -> None:
    port = host.url.rpartition(":")[2]
    named = GitHost(f"http://podium-test.invalid:{port}", host.folder)
    mirrors = Mirrors(tmp_path / "mirrors", server_git(), resolve=lambda _url: f"podium-test.invalid:{port}:127.0.0.1")
    with opening(mirrors, named) as mirror:
        assert counted(mirror) == 3


def test_protocols_that_were_not_allowed_are_refused(tmp_path: Path, host: GitHost, repository: Path) -> None:
    for url in (f"file://{repository}", str(repository), "ext::sh -c true", "ssh://127.0.0.1/x", "git://127.0.0.1/x"):
        with (
            pytest.raises(HistoryError) as caught,
            mirrors_in(tmp_path).open(host="", owner="", name="r", key="k", url=url, progress=lambda *_: None),
        ):
            pass
        assert caught.value.code == "refused"


def test_what_another_user_has_left_in_the_folder_fails_no_count(
    tmp_path: Path, host: GitHost, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mirrors"
    for name in ("mirror+foreign.git", "incoming-foreign"):
        (folder / name).mkdir(parents=True)
        (folder / f"{name}.lock").touch()

    def refusing(do: Any) -> Any:
        def maybe(path: Any, *arguments: Any, **words: Any) -> Any:
            if "foreign" in str(path):
                raise PermissionError(errno.EACCES, "Permission denied")
            return do(path, *arguments, **words)

        return maybe

    monkeypatch.setattr(os, "scandir", refusing(os.scandir))
    monkeypatch.setattr(os, "open", refusing(os.open))
    for _ in range(2):
        with opening(mirrors_in(tmp_path, cache_bytes=0), host) as mirror:
            assert mirror.head == repos.git(repository, "rev-parse", "HEAD").decode().strip()
    # Its own are within the limit.
    assert [path.name for path in folder.glob("mirror+*.git")] == ["mirror+foreign.git"]
