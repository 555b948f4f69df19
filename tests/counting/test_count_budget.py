"""What one count may cost: a repository beyond it fails, or keeps its board, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from podium.clones.mirrors import Mirrors
from podium.clones.source import History, MirrorSource
from podium.counting.commit_job import CommitJob
from podium.counting.count_budget import Budget, CpuMeter
from podium.errors import HistoryError
from podium.git.command import Git
from podium.git.limits import Limits, bytes_on_disk
from podium.history.count_limits import NO_LIMITS, CountLimits
from podium.jobs.messages.queues import NullQueues
from podium.repositories.address import parse_address
from podium.repositories.model import Repository
from podium.repositories.store.queue.due_work import waiting
from podium.storage.session import Database
from podium.submissions.submit import start_over, submit
from tests.counting.test_refresh import classify_emails
from tests.support import repos
from tests.support.githttp import serve_repositories
from tests.support.rows import repository as saved_repository

BUDGET = Budget(memory=300_000_000, cpu_seconds=20)


@dataclasses.dataclass
class Remote:
    """A repository on a host, and the database and mirrors of a server that counts it."""

    db: Database
    url: str
    path: Path
    mirrors: Path

    def __post_init__(self) -> None:
        self.git = Git.for_server(Limits(timeout=60), search_path=os.environ["PATH"], protocols=("http",))
        self.id = submit(self.db, NullQueues(), parse_address(self.url), refresh_after=0).repository.id

    def source(self, limits: CountLimits = NO_LIMITS) -> MirrorSource:
        return MirrorSource(self.git, Mirrors(self.mirrors, self.git), lambda _: self.url, limits=limits)

    def count(self, limits: CountLimits = NO_LIMITS, source: MirrorSource | None = None) -> str:
        """Count it; return the error's text, or an empty text."""
        start_over(self.db, self.id)
        error = self.job(source or self.source(limits)).run(self.id, threading.Event())
        return str(error or "")

    def job(self, source: MirrorSource) -> CommitJob:
        return CommitJob(self.db, source, classify_emails, 30, max_crashes=5, max_attempts=1, budget=BUDGET)

    def row(self) -> Repository:
        return saved_repository(self.db, self.id)

    def left(self) -> set[str]:
        return {path.name for path in self.mirrors.iterdir()} - {".lock"}


@pytest.fixture
def remote(tmp_path: Path, db: Database) -> Iterator[Remote]:
    with serve_repositories(tmp_path / "repositories") as host:
        path = repos.make_bare(host.folder / "o" / "r.git")
        yield Remote(db, f"{host.url}/o/r.git", path, tmp_path / "mirrors")


def people(first: int, after: int) -> list[bytes]:
    return [b"P%d <p%d@example.org> 1 +0000" % (number, number) for number in range(first, after)]


@pytest.mark.parametrize(
    ("limits", "more", "variable"),
    [
        (CountLimits(commits=4), CountLimits(commits=5), "PODIUM_MAX_COMMITS"),
        (CountLimits(people=4), CountLimits(people=5), "PODIUM_MAX_PEOPLE"),
    ],
)
def test_beyond_a_limit_a_repository_fails_and_keeps_a_board_but_no_clone(
    remote: Remote, limits: CountLimits, more: CountLimits, variable: str
) -> None:
    head = repos.chain(remote.path, people(0, 5))
    assert variable in remote.count(limits)
    assert (remote.row().state, remote.row().error_code, remote.row().refresh_error) == ("failed", "too-large", None)
    assert remote.left() == set()
    assert remote.count(more) == ""
    repos.chain(remote.path, people(5, 6), [head])
    assert variable in remote.count(more)
    row = remote.row()
    assert (row.state, row.error, row.total_commits, row.head) == ("completed", None, 5, head)
    assert variable in str(row.refresh_error) and row.refresh_error_at is not None
    assert remote.left() == set()
    # The next submission does not repeat the refresh.
    assert not submit(remote.db, NullQueues(), parse_address(remote.url), refresh_after=3600).refreshing
    assert remote.count() == ""
    assert (remote.row().refresh_error, remote.row().refresh_error_at, remote.row().total_commits) == (None, None, 6)


def test_a_clone_counts_with_its_size_when_it_waits_again(remote: Remote) -> None:
    repos.chain(remote.path, people(0, 5))
    assert remote.count() == ""
    start_over(remote.db, remote.id)
    [mirror] = remote.mirrors.glob("*.git")
    with remote.db.read() as session:
        assert waiting(session, unknown_size=0) == (1, bytes_on_disk(mirror))


def test_people_of_earlier_commits_count_once(remote: Remote) -> None:
    head = repos.chain(remote.path, people(0, 5))
    assert remote.count() == ""
    repos.chain(remote.path, people(2, 6), [head])
    assert "PODIUM_MAX_PEOPLE" in remote.count(CountLimits(people=5))
    assert remote.count(CountLimits(people=6)) == ""


def test_memory_that_is_used_up_is_no_crash_and_names_the_setting(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    repos.chain(remote.path, [repos.ALICE])

    def count(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(History, "count", count)
    assert "PODIUM_COUNT_MEMORY" in remote.count()
    assert (remote.row().state, remote.row().error_code, remote.row().crashes) == ("failed", "too-large", 0)
    assert remote.left() == set()


def test_cpu_time_that_is_used_up_names_the_setting(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    repos.chain(remote.path, [repos.ALICE])
    ticks = iter(range(0, 10_000, 15))
    monkeypatch.setattr(Budget, "start", lambda self: CpuMeter(self.cpu_seconds, lambda: float(next(ticks))))
    assert "PODIUM_COUNT_CPU_SECONDS" in remote.count()
    assert (remote.row().state, remote.row().error_code) == ("failed", "too-large")
    assert remote.left() == set()


def test_the_error_of_a_dead_process_is_saved_and_its_clone_deleted(remote: Remote) -> None:
    repos.chain(remote.path, [repos.ALICE])
    assert remote.count() == ""
    start_over(remote.db, remote.id)
    with remote.db.write() as session:
        session.run("UPDATE repository SET lease_holder = 'x', lease_token = 7, lease_until = {now} + 60")
    (remote.mirrors / "incoming-1").mkdir()
    (remote.mirrors / "incoming-1.lock").touch()
    remote.job(remote.source()).settle_dead(remote.row(), BUDGET.cpu_time_exceeded())
    row = remote.row()
    assert (row.state, row.lease_holder, row.crashes) == ("completed", None, 0)
    assert "PODIUM_COUNT_CPU_SECONDS" in str(row.refresh_error)
    assert remote.left() == set()


def limited(code: str, budget: Budget) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process with the budget's limits."""
    begin = f"from podium.counting.count_budget import Budget\n{budget!r}.limit_process()\n"
    return subprocess.run([sys.executable, "-c", begin + code], capture_output=True, text=True, check=False)


def test_the_operating_system_limits_memory_and_cpu_time_of_a_process() -> None:
    done = limited("bytearray(400_000_000)", Budget(memory=300_000_000))
    assert "MemoryError" in done.stderr
    code = """
import resource
print(*(resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_CPU, resource.RLIMIT_CORE)))
"""
    assert limited(code, Budget(cpu_seconds=5)).stdout.split() in (["15", "0"], ["16", "0"])


def test_a_git_process_beyond_its_cpu_time_names_the_setting(tmp_path: Path) -> None:
    git = Git.for_server(Limits(cpu_seconds=1), search_path=os.environ["PATH"])
    repository = repos.make_bare(tmp_path / "r.git")
    assert git.run("-c", "alias.x=!ulimit -S -t", "x", repository=repository).output == b"1\n"
    # As the kernel ends it after that second.
    ended = ("-c", "alias.x=!kill -XCPU $$", "x")
    with pytest.raises(HistoryError, match="PODIUM_COUNT_CPU_SECONDS") as caught:
        git.run(*ended, repository=repository)
    assert caught.value.code == "too-large"


def test_no_limit_is_set_without_a_budget() -> None:
    before = [resource.getrlimit(kind) for kind in (resource.RLIMIT_DATA, resource.RLIMIT_CPU, resource.RLIMIT_CORE)]
    Budget().limit_process()
    after = [resource.getrlimit(kind) for kind in (resource.RLIMIT_DATA, resource.RLIMIT_CPU, resource.RLIMIT_CORE)]
    assert after == before
    with contextlib.suppress(HistoryError):
        Budget().start().check()
