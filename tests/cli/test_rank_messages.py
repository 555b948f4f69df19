"""`podium rank` names the real cause: each fault is made with a real git, real files and real permissions."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from podium.cli.arguments import parser
from podium.cli.rank import rank_command
from podium.cli.rank.source_path import local_path
from podium.errors import BadSetting, PodiumError
from podium.settings import Settings
from tests.support import repos
from tests.support.cli import Podium, clean_environment
from tests.support.githttp import Fault, serve_repositories


def complaint(source: str | Path, *arguments: str, **variables: str) -> str:
    """The message of `podium rank`, in this process; the exit code is 2."""
    options = parser().parse_args(["rank", str(source), *arguments])
    environment = clean_environment(PODIUM_DATA_DIR="/dev/null/none") | variables
    with pytest.raises(PodiumError) as refusal:
        rank_command.run(options, environment)
    assert refusal.value.exit_code == 2
    assert "\n" not in refusal.value.message
    return refusal.value.message


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    bare = repos.make_bare(tmp_path / "bare.git")
    repos.chain(bare, [repos.ALICE, repos.BOB])
    repos.git(bare, "clone", "-q", f"file://{bare}", str(tmp_path / "clone"))
    return tmp_path / "clone"


def configure(clone: Path, *pairs: str) -> None:
    for pair in pairs:
        repos.git(clone / ".git", "config", *pair.split("="))


# What git must know


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (["core.repositoryformatversion=1", "extensions.nonesuch=true"], ["extension nonesuch", "newer git than 2."]),
        (["core.repositoryformatversion=1", "extensions.objectformat=sha9"], ["objectformat = sha9", "newer git"]),
        (["core.repositoryformatversion=9"], ["format 9", "newer git"]),
        (["extensions.objectformat=sha256"], ["extensions.objectformat", "repositoryFormatVersion"]),
    ],
)
def test_a_repository_for_a_newer_git_says_what_git_lacks(clone: Path, pairs: list[str], words: list[str]) -> None:
    configure(clone, *pairs)
    message = complaint(clone)
    assert all(word in message for word in words), message


def fake_git(folder: Path, script: str) -> str:
    """A PATH on which git is this script."""
    folder.mkdir()
    file = folder / "git"
    file.write_text(f"#!{sys.executable}\nimport sys\nwords = sys.argv[1:]\n{script}\n")
    file.chmod(0o755)
    return str(folder)


def test_a_git_that_is_too_old_is_named(clone: Path, tmp_path: Path) -> None:
    # Before 2.13, rev-parse prints the options that it does not know.
    old = "print('git version 2.11.0' if 'version' in words else '\\n'.join(words))"
    message = complaint(clone, PATH=fake_git(tmp_path / "old", old))
    assert "2.11.0 is too old" in message and "2.37" in message
    stranger = (
        "sys.exit('error: unknown option `end-of-options')if 'version' not in words else print('git version 2.20.1')"
    )
    assert "2.20.1 is too old" in complaint(clone, PATH=fake_git(tmp_path / "stranger", stranger))


def test_a_repository_in_reftable_format_names_the_extension(clone: Path, tmp_path: Path) -> None:
    # As git 2.39 answers; a newer one knows the extension.
    says = "unknown repository extension found:\\n\\trefstorage"
    script = f"print('git version 2.39.5') if 'version' in words else sys.exit('fatal: {says}')"
    message = complaint(clone, PATH=fake_git(tmp_path / "git", script))
    assert "extension refstorage" in message and "newer git than 2.39.5" in message


def test_a_missing_git_is_named(clone: Path, tmp_path: Path) -> None:
    assert "git is not installed" in complaint(clone, PATH=str(tmp_path / "none"))


# Configuration


def test_a_broken_configuration_is_named_with_file_and_line(clone: Path, tmp_path: Path) -> None:
    config = clone / ".git" / "config"
    good = config.read_text()
    lines = good.count("\n")
    for broken, line in (("[core\n", lines + 1), ("[core]\n\tbare = perhaps\n", lines + 2)):
        config.write_text(good + broken)
        message = complaint(clone)
        assert f"line {line} " in message and str(config) in message, message
    config.write_text(good)
    home = tmp_path / "home"
    home.mkdir()
    variables = {"HOME": str(home), "GIT_CONFIG_GLOBAL": str(home / ".gitconfig")}
    for broken, line in (("[user]\nname = x\n[\n", 3), ("[core]\n\tbigFileThreshold = many\n", 2)):
        (home / ".gitconfig").write_text(broken)
        message = complaint(clone, **variables)
        assert f"line {line} " in message and str(home / ".gitconfig") in message, message
    (home / ".gitconfig").write_text("[include]\n\tpath = .gitconfig\n")
    assert "included again and again" in complaint(clone, **variables)
    (home / ".gitconfig").unlink()
    (home / ".gitconfig").mkdir()
    assert ".gitconfig (Is a directory)" in complaint(clone, **variables)
    assert "GIT_CONFIG_COUNT" in complaint(clone, GIT_CONFIG_COUNT="x")


# Paths


def test_what_is_no_repository_says_what_it_is(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    repos.git(clone / ".git", "bundle", "create", "-q", str(tmp_path / "x.bundle"), "HEAD")
    for source, words in {
        "file": "file is a file",
        "./file": "is a file",
        "x.bundle": "git clone x.bundle FOLDER",
        "folder": f"{tmp_path}/folder is not inside a git repository",
        ".": f"{tmp_path} is not inside a git repository",
        "dangling": "dangling is a link to nowhere",
        "dangling/deeper": "dangling is a link to nowhere",
        "loop": "loop is a link to loop",
        "./cloen": "Nothing is at ./cloen (there is clone)",
        "cloen": "Nothing is at ./cloen (there is clone)",
        "clone.git": "Nothing is at ./clone.git",
        "folder/a/b": "Nothing is at ./folder/a/b",
        "a/b/c": "Nothing is at ./a/b/c.",
        "/nonesuch/x": "Nothing is at /nonesuch/x.",
        "~nonesuch": "Nothing is at ~nonesuch.",
        f"file://{tmp_path}/none": "Nothing is at file://",
        "x" * 300: "Nothing is at ./xxx",
    }.items():
        assert words in complaint(source), source


def test_a_work_tree_is_ranked_and_one_whose_repository_vanished_says_so(clone: Path, tmp_path: Path) -> None:
    repos.git(clone / ".git", "worktree", "add", "-q", "--detach", str(tmp_path / "tree"))
    assert local_path(str(tmp_path / "tree" / ".git")) == tmp_path / "tree"
    (clone / ".git").rename(clone / "moved")
    message = complaint(tmp_path / "tree")
    assert f"{clone}/.git/worktrees/tree, where nothing is" in message and "git worktree repair" in message


def test_a_current_folder_that_was_deleted_is_named(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert "current folder was deleted" in complaint(".")
    with pytest.raises(BadSetting, match="current folder, which was deleted"):
        Settings(data_dir="data").data_folder()


def _no_entry(_number: int) -> None:
    raise KeyError


def test_a_user_without_a_home_is_asked_for_a_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", _no_entry)
    with pytest.raises(BadSetting, match="PODIUM_DATA_DIR"):
        Settings().data_folder()


# Permissions


@contextlib.contextmanager
def unprivileged(folder: Path) -> Iterator[None]:
    """Give ``folder`` to a user who is not root, and run as that user."""
    if os.geteuid() != 0:
        yield
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 65534, 65534, follow_symlinks=False)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("closed", ["objects/??/*", "HEAD", "config", "refs/heads/*", "objects", ".", ".."])
def test_what_this_user_may_not_read_is_named(open_folder: Path, closed: str) -> None:
    repository = repos.make_bare(open_folder / "parent" / "r.git")
    repos.chain(repository, [repos.ALICE])
    paths = {".": [repository], "..": [repository.parent]}.get(closed) or sorted(repository.glob(closed))
    with unprivileged(open_folder):
        modes = [path.stat().st_mode for path in paths]
        for path in paths:
            path.chmod(0)
        try:
            message = complaint(repository)
        finally:
            for path, mode in zip(paths, modes, strict=True):
                path.chmod(mode)
    assert "This user may not" in message or "git cannot read its configuration" in message, message
    assert any(str(path) in message for path in paths), message


# Hosts


def test_the_host_that_is_asked_is_always_named(tmp_path: Path) -> None:
    podium = Podium(tmp_path / "data")
    (tmp_path / "src").mkdir()
    with serve_repositories(tmp_path) as server:
        host = server.url.removeprefix("http://")
        for source, note in (("o/n", ""), ("src/foo", "src/foo"), ("foo/bar/", "foo/bar/")):
            done = podium.run("rank", source, cwd=tmp_path, GITHUB_SERVER_URL=server.url)
            name = source.rstrip("/")
            assert done.returncode == 2
            assert f"podium: Asked {host} for {name}: The repository does not exist or is private" in done.stderr
            assert f" There is no folder {source} here, so it was taken as owner/name.\n" in done.stderr
            said = f"podium: Nothing is at ./{note}; asking {host} for {name}\n"
            assert (said in done.stderr) is bool(note), done.stderr


@pytest.mark.parametrize(("status", "said"), [(451, b""), (403, b"Repository unavailable due to DMCA takedown.\n")])
def test_a_repository_that_was_taken_down_says_so(tmp_path: Path, status: int, said: bytes) -> None:
    repos.make_bare(tmp_path / "served" / "o" / "n.git")
    with serve_repositories(tmp_path / "served") as host:
        host.faults.append(Fault("status", "/o/n", status=status, body=said))
        done = Podium(tmp_path / "data").run("rank", f"{host.url}/o/n.git")
    assert done.returncode == 2
    assert "taken down for legal reasons" in done.stderr


# Options


def test_a_mailmap_that_would_be_ignored_is_refused(clone: Path) -> None:
    assert "leave one out" in complaint(clone, "--mailmap-file", "team.mailmap", "--mailmap", "ignore")
