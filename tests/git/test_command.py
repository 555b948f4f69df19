"""git as it is run: what it may see, and what ends it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
import threading
from pathlib import Path

import pytest

from podium.errors import HistoryError, Interrupted
from podium.git import limits, processes
from podium.git.command import Git
from podium.git.environment import person_profile, server_profile
from podium.git.limits import Limits, TransferWatch, bytes_on_disk
from tests.support import repos
from tests.support.server import wait_until

PATH = os.environ["PATH"]


def server(**chosen: float) -> Git:
    return Git.for_server(Limits(**chosen), search_path=PATH)  # type: ignore[arg-type]


def aliased(repository: Path, command: str) -> str:
    """A git command of the repository's own that runs a shell command: a stand-in for a git that does anything."""
    with (repository / "config").open("a") as config:
        config.write(f'[alias]\n\tdoes = "!{command}"\n')
    return "does"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    repository = repos.make_bare(tmp_path / "r.git")
    repos.chain(repository, [repos.ALICE, repos.BOB])
    return repository


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_GRACE", 0.1)
    monkeypatch.setattr(limits, "_MEASURE_EVERY", 0.05)


# Seconds of `sleep` that no other run of these tests uses.
LONG = 1_000_000 + os.getpid()


def running(marker: str) -> bool:
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # the process has ended
            if marker.encode() in words.read_bytes().replace(b"\0", b" "):
                return True
    return False


def test_a_run_gives_code_output_and_errors(repository: Path) -> None:
    # More than a pipe holds, in both directions.
    answer = server().run("cat-file", "--batch-check", repository=repository, stdin=b"main\nnone\n" * 8_000)
    assert (answer.code, answer.output.count(b" commit "), answer.output.count(b" missing")) == (0, 8_000, 8_000)
    answer = server().run("cat-file", "-t", "none", repository=repository)
    assert answer.code != 0
    assert b"fatal" in answer.errors


def test_output_is_bounded(repository: Path) -> None:
    with pytest.raises(HistoryError) as caught:
        server().run(aliased(repository, "yes"), repository=repository, most=1 << 20)
    assert caught.value.code == "too-large"


@pytest.mark.parametrize("command", ["sleep $LONG", "trap '' TERM; sleep $LONG & sleep $LONG & wait; sleep $LONG"])
def test_stop_ends_git_and_all_that_it_started(repository: Path, command: str) -> None:
    stop = threading.Event()

    def stop_what_runs() -> None:
        wait_until(lambda: running(f"sleep {LONG}"), "it to run")
        stop.set()

    stopping = threading.Thread(target=stop_what_runs)
    stopping.start()
    with pytest.raises(Interrupted):
        server().run(aliased(repository, command.replace("$LONG", str(LONG))), repository=repository, stop=stop)
    stopping.join()
    # A killed process stays in /proc for a moment.
    wait_until(lambda: not running(f"sleep {LONG}"), "all of them to end")


def test_the_time_limit_ends_it_too(repository: Path) -> None:
    with pytest.raises(HistoryError) as caught:
        server(timeout=0.3).run(aliased(repository, f"sleep {LONG}"), repository=repository)
    assert caught.value.code == "too-large"
    # A killed process stays in /proc for a moment.
    wait_until(lambda: not running(f"sleep {LONG}"), "all of them to end")


def test_a_stream_that_is_closed_early_ends_both_processes(repository: Path) -> None:
    does = aliased(repository, f"yes podium-stream-{LONG}")
    pipeline = server().stream([does], [does], repository=repository)
    next(pipeline.output(None))
    assert running(f"yes podium-stream-{LONG}")
    pipeline.close()
    # A killed process stays in /proc for a moment.
    wait_until(lambda: not running(f"yes podium-stream-{LONG}"), "both of them to end")


def test_memory_is_limited(repository: Path) -> None:
    program = f"{sys.executable} -ISc 'x = bytearray(1 << 28)'"
    does = aliased(repository, program.replace('"', '\\"'))
    assert server().run(does, repository=repository).code == 0
    if sys.platform == "linux":
        assert server(memory=200 << 20).run(does, repository=repository).code != 0


def test_git_that_is_not_installed_is_said_so(repository: Path, tmp_path: Path) -> None:
    git = Git.for_server(Limits(), search_path=str(tmp_path))
    with pytest.raises(HistoryError) as caught:
        git.run("version", repository=repository)
    assert caught.value.code == "git-missing"


def test_the_server_sees_nothing_of_the_machine(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "SSH_AUTH_SOCK", "HTTPS_PROXY", "SECRET", "GIT_SSH_COMMAND"):
        monkeypatch.setenv(name, "leaked")
    answer = server().run(aliased(repository, "env"), repository=repository)
    assert b"leaked" not in answer.output
    lines = answer.output.decode().split("\n")
    assert {"GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "HOME=/dev/null"} <= set(lines)
    assert "GIT_ALLOW_PROTOCOL=none" in lines


def test_a_person_keeps_their_environment_but_is_not_redirected(repository: Path, tmp_path: Path) -> None:
    other = repos.make_bare(tmp_path / "other.git")
    environment = {
        "PATH": PATH,
        "HOME": str(tmp_path),
        "SSH_AUTH_SOCK": "/agent",
        "LANG": "de_DE.UTF-8",
        "LANGUAGE": "de",
        "LC_ALL": "de_DE.UTF-8",
        "GIT_DIR": str(other),
        "GIT_WORK_TREE": str(tmp_path),
        "GIT_INDEX_FILE": str(tmp_path / "index"),
        "GIT_OBJECT_DIRECTORY": str(other / "objects"),
        "GIT_NAMESPACE": "x",
    }
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = Kept\n")
    git = Git.for_person(environment)
    assert git.read("config", "user.name", repository=repository) == b"Kept\n"
    assert git.read("rev-parse", "main", repository=repository).strip()
    output = git.run(aliased(repository, "env"), repository=repository).output.decode().split("\n")
    assert {"SSH_AUTH_SOCK=/agent", "LC_ALL=C"} <= set(output)
    assert not any(line.startswith(("LANGUAGE=", "GIT_INDEX_FILE=", "GIT_OBJECT_DIRECTORY=")) for line in output)


def test_a_transfer_in_a_terminal_stays_in_the_persons_group_and_any_other_does_not() -> None:
    assert person_profile({}).on_terminal
    assert not server_profile(search_path="", protocols=("https",), idle_timeout=1).on_terminal


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_programs_that_start_programs_without_end_are_ended(repository: Path) -> None:
    does = aliased(repository, f"f() {{ sleep {LONG} & [ $1 -gt 60 ] || f $(($1 + 1)); wait; }}; f 0")
    git = server(timeout=30)
    with pytest.raises(HistoryError) as caught:
        git.transfer(does, repository=repository, progress=lambda *_: None)
    assert caught.value.code == "shallow"
    # A killed process stays in /proc for a moment.
    wait_until(lambda: not running(f"sleep {LONG}"), "all of them to end")


def test_a_fetch_from_a_shallow_host_ends_with_any_git(repository: Path, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow.git"
    repos.git(shallow, "clone", "-q", "--bare", "--depth=1", f"file://{repository}", str(shallow))
    repos.git(shallow, "config", "uploadpack.allowFilter", "true")
    mirror = repos.make_bare(tmp_path / "mirror.git")
    for name, value in (("extensions.partialClone", "origin"), ("remote.origin.promisor", "true")):
        repos.git(mirror, "config", name, value)
    profile = server_profile(search_path=PATH, protocols=("file",), idle_timeout=30)
    # As git was before it knew that variable.
    old = {name: value for name, value in profile.environment.items() if name != "GIT_NO_LAZY_FETCH"}
    git = Git(dataclasses.replace(profile, environment=old), Limits(timeout=30))
    words = ("fetch", "--progress", "--no-tags", "--filter=tree:0", "origin", "+refs/heads/main:refs/heads/main")
    with pytest.raises(HistoryError) as caught:
        git.transfer(
            *words,
            repository=mirror,
            progress=lambda *_: None,
            configuration=(f"remote.origin.url=file://{shallow}",),
        )
    assert caught.value.code == "shallow"


def test_a_transfer_watches_its_folder_and_its_disk(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    assert 100_000 <= bytes_on_disk(tmp_path) <= 200_000

    def measured(ceiling: int | None = None, **chosen: int) -> str | None:
        try:
            TransferWatch(Limits(**chosen), None, tmp_path, os.getpid(), ceiling).measure()
        except HistoryError as error:
            return error.code
        return None

    assert measured() is None
    assert measured(repository_bytes=50_000) == "too-large"
    assert measured(repository_bytes=50_000, ceiling=1_000_000) is None
    assert measured(disk_reserve=1 << 60) == "disk-full"


def test_nothing_of_a_repositorys_own_configuration_is_run(repository: Path, tmp_path: Path) -> None:
    from podium.clones.local import open_local
    from podium.history.count import count

    ran = tmp_path / "ran"
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for hook in ("reference-transaction", "post-index-change", "pre-auto-gc", "post-checkout"):
        (hooks / hook).write_text(f"#!/bin/sh\ntouch {ran}\n")
        (hooks / hook).chmod(0o755)
    command = f"touch {ran}"
    for name, value in {
        "core.fsmonitor": command,
        "core.hooksPath": str(hooks),
        "core.pager": command,
        "pager.rev-list": "true",
        "core.sshCommand": command,
        "core.gitProxy": command,
        "core.askPass": command,
        "core.editor": command,
        "core.alternateRefsCommand": command,
        "credential.helper": f"!{command}",
        "gpg.program": command,
        "diff.external": command,
        "alias.rev-list": f"!{command}",
        "remote.origin.url": f"ext::sh -c '{command}'",
        "remote.origin.promisor": "true",
        "remote.origin.uploadpack": command,
        "protocol.ext.allow": "always",
        "extensions.partialClone": "origin",
        "core.repositoryFormatVersion": "1",
        "trailer.x.command": command,
    }.items():
        repos.git(repository, "config", name, value)
    # A commit that is missing makes git want to fetch it.
    head = repos.git(repository, "rev-parse", "main").decode().strip()
    gone = repos.git(repository, "rev-parse", "main~1").decode().strip()
    git = Git.for_person({"PATH": PATH, "HOME": str(tmp_path)})
    assert open_local(git, repository).head == head
    assert count(git, repository, head).total_commits == 2
    (repository / "objects" / gone[:2] / gone[2:]).unlink()
    with pytest.raises(HistoryError):
        count(git, repository, head)
    assert not ran.exists()
