"""A git host that goes away and comes back, and one that hides a repository; the database's clock is moved on."""

from __future__ import annotations

import dataclasses
import os
import shutil
import threading
from pathlib import Path

import pytest

from podium.cli.commands.queue_command import table
from podium.clones.mirrors import Mirrors
from podium.clones.source import MirrorSource
from podium.counting.commit_job import CommitJob
from podium.errors import Conflict, HistoryError
from podium.git.command import Git
from podium.git.limits import Limits
from podium.jobs import failures, lease, reconciler
from podium.monitoring.inspector import Inspector
from podium.repositories.address import Address, parse_address
from podium.repositories.listing import describe
from podium.repositories.model import Repository
from podium.repositories.store import transitions
from podium.repositories.store.freshness import due_checks
from podium.repositories.store.queue import due_work, host_outages
from podium.storage.session import Database
from podium.submissions import admin
from podium.submissions.capacity import Capacity
from podium.submissions.submit import submit
from tests.counting.test_refresh import classify_emails
from tests.support import repos
from tests.support.githttp import Fault, serve_repositories
from tests.support.rows import RecordingQueues, leased, repository

LIMITS = Limits(timeout=60, idle_timeout=30, memory=4 << 30, repository_bytes=1 << 30, disk_reserve=1)
NAMES = ("a", "b", "c", "d", "e", "f")


@dataclasses.dataclass
class Server:
    """The workers and clients of a server, one after the other, and a host that can be away."""

    db: Database
    folder: Path
    port: int = 0
    queues: RecordingQueues = dataclasses.field(default_factory=RecordingQueues)
    tries: int = 0

    def __post_init__(self) -> None:
        self.git = Git.for_server(LIMITS, search_path=os.environ["PATH"], protocols=("http",))
        for name in NAMES:
            self.push(name)

    def push(self, name: str) -> None:
        path = self.folder / "repositories" / "o" / f"{name}.git"
        if not path.exists():
            repos.make_bare(path)
        repos.chain(path, [repos.ALICE] * (len(list(path.glob("objects/??/*"))) + 1))

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def address(self, name: str) -> Address:
        return parse_address(f"http://{self.host}/o/{name}.git")

    def submit(self, name: str, *, rev: str | None = None, refresh_after: float = 3600) -> Repository:
        address = self.address(name) if rev is None else self.address(name).at_revision(rev)
        return submit(self.db, self.queues, address, refresh_after=refresh_after).repository

    def row(self, name: str, rev: str | None = None) -> Repository:
        address = self.address(name) if rev is None else self.address(name).at_revision(rev)
        with self.db.read() as session:
            number = session.value("SELECT id FROM repository WHERE key = :key", key=address.key)
        return repository(self.db, number)

    def rows(self) -> list[Repository]:
        return [self.row(name) for name in NAMES]

    def work(self, most: int = 1000) -> None:
        """Do all that is due now, as workers do, or ``most`` of it."""
        source = MirrorSource(self.git, Mirrors(self.folder / "mirrors", self.git), lambda row: row.repository_url)
        job = CommitJob(self.db, source, classify_emails, lease_seconds=30, max_crashes=5, max_attempts=1)
        reconciler.try_hosts_again(self.db, self.queues)
        while most and (row := lease.grab_next(self.db, 0, seconds=30)) is not None:
            self.tries, most = self.tries + 1, most - 1
            job.run_held(row, threading.Event())
        with self.db.write() as session:
            session.run("UPDATE commit_data SET processed = TRUE")
            for row_of in session.all("SELECT id FROM repository WHERE state = 'users_processing'"):
                transitions.complete(session, row_of["id"])

    def wait(self, seconds: float, most: int = 1000) -> None:
        """Let time pass, and do what becomes due."""
        self.pass_time(seconds)
        self.work(most)

    def pass_time(self, seconds: float) -> None:
        with self.db.write() as session:
            for table, columns in (
                ("repository", ("not_before", "refresh_error_at", "gone_since", "last_processed_at", "last_attempt")),
                ("git_host", ("down_since", "next_try_at")),
            ):
                changes = ", ".join(f"{column} = {column} - :seconds" for column in columns)
                session.run(f"UPDATE {table} SET {changes}", seconds=seconds)

    def down(self) -> list[host_outages.DownHost]:
        with self.db.read() as session:
            return host_outages.down(session, limit=10)


@pytest.fixture
def server(db: Database, tmp_path: Path) -> Server:
    return Server(db, tmp_path)


def test_a_host_that_is_away_fails_nothing_and_all_of_it_resumes_by_itself(server: Server) -> None:
    with serve_repositories(server.folder / "repositories") as host:
        server.port = int(host.url.rpartition(":")[2])
        server.submit("a")
        server.work()
        assert server.row("a").state == "completed"
        before = server.row("a")
        server.push("a")
    # Away: a board under refresh, and five repositories that were never counted.
    server.pass_time(7200)
    for name in NAMES:
        server.submit(name)
    server.tries = 0
    server.work()
    for _ in range(5):
        server.wait(6.6)
    board, *others = server.rows()
    assert (board.state, board.head, board.error) == ("completed", before.head, None)
    document = describe(board)
    assert document["refreshError"]["message"] == f"{server.host} cannot be reached: Podium tries again automatically."
    assert document["waitingReason"] is None
    for row in others:
        assert (row.state, row.error, row.attempts, row.lease_holder) == ("pending", None, 0, None)
        assert describe(row)["waitingReason"] == document["refreshError"]["message"]
    overview = Inspector(server.db).overview()
    assert [(one.host, one.waiting) for one in overview.hosts_away] == [(server.host, 6)]
    assert {(one.id, one.has_board) for one in overview.delayed} == {(row.id, row.has_board) for row in server.rows()}
    assert f"{server.host} has been down for" in table(overview) and "waiting for it: 6 repositories" in table(overview)
    # The host was noticed once, and then one repository at a time was tried.
    [down] = server.down()
    assert (down.host, down.waiting) == (server.host, 6)
    assert server.tries <= 2 + 5
    # A night later, nothing has failed.
    server.tries = 0
    for _ in range(12):
        server.wait(1700)
    assert {row.state for row in server.rows()} == {"pending", "completed"}
    assert server.tries == 12
    assert not any(row.attempts or row.transient_attempts > 1 for row in server.rows())

    with serve_repositories(server.folder / "repositories", port=server.port):
        # Only the probe is tried at once.
        server.tries = 0
        server.wait(900, most=1)
        assert server.down() == []
        # The others follow, spread out: a quarter of a second apart.
        waits = sorted(row.not_before for row in server.rows() if row.not_before is not None)
        assert len(waits) == 5 and waits == sorted(set(waits))
        server.wait(3)
    rows = server.rows()
    assert [(row.state, row.refresh_error, row.waiting_reason) for row in rows] == [("completed", None, None)] * 6
    assert rows[0].head != before.head


@pytest.mark.parametrize("status", [503])
def test_a_host_that_answers_with_errors_is_down_after_three_repositories_in_a_row(server: Server, status: int) -> None:
    with serve_repositories(server.folder / "repositories") as host:
        server.port = int(host.url.rpartition(":")[2])
        host.faults.append(Fault("status", "/o/a.git", status=503))
        server.submit("a")
        server.submit("b")
        for _ in range(4):
            server.wait(20)
        # Others of the host can be counted: it is not the host's.
        assert server.down() == []
        assert (server.row("a").state, server.row("b").state) == ("pending", "completed")
        assert "answers with errors" in str(server.row("a").waiting_reason)
        host.faults[0].path = ""
        for name in NAMES:
            server.submit(name)
        server.work()
        assert [down.host for down in server.down()] == [server.host]
        host.faults.clear()
        server.wait(10)
        server.wait(10)
        assert {row.state for row in server.rows()} == {"completed"}


def test_a_transfer_that_breaks_off_is_tried_again(server: Server) -> None:
    with serve_repositories(server.folder / "repositories") as host:
        server.port = int(host.url.rpartition(":")[2])
        host.faults.append(Fault("cut", "git-upload-pack", after=300))
        server.submit("a")
        server.work()
        assert (server.row("a").state, server.row("a").transient_attempts) == ("pending", 1)
        assert "breaks off the transfer" in str(server.row("a").waiting_reason)
        host.faults.clear()
        server.wait(5)
        row = server.row("a")
        assert (row.state, row.transient_attempts, row.waiting_reason) == ("completed", 0, None)


def test_a_client_and_an_operator_try_at_once_but_one_repository_at_a_time(server: Server) -> None:
    server.port = 1
    for name in NAMES:
        server.submit(name)
    server.work()
    [down] = server.down()
    tries = server.tries
    # The first becomes the probe, the second waits for it.
    server.queues.enqueued.clear()
    first, second = server.submit("c"), server.submit("d")
    assert (first.waiting_reason, second.waiting_reason) == (None, down.message)
    assert server.queues.enqueued == [(first.id,)]
    with pytest.raises(Conflict):
        admin.retry_one(server.db, server.queues, server.address("c").key, client_id="x")
    server.work()
    assert server.tries == tries + 1
    assert admin.retry_one(server.db, server.queues, server.address("d").key, client_id="x").waiting_reason is None
    server.work()
    assert server.tries == tries + 2
    assert admin.retry(server.db, [second.id, first.id], actor="test") == [first.id, second.id]
    server.work()
    assert server.tries == tries + 3
    admin.retry(server.db, [], actor="test")
    server.work()
    assert server.tries == tries + 4
    # A new one waits at once, without a lease.
    new = server.submit("new")
    server.work()
    newer = server.submit("newer")
    assert server.tries == tries + 5
    assert new.id != newer.id and {row.state for row in server.rows()} == {"pending"}


def test_what_waits_for_a_host_takes_no_place_of_others(server: Server) -> None:
    server.port = 1
    for name in NAMES:
        server.submit(name)
    server.work()
    with server.db.read() as session:
        assert due_work.waiting(session, unknown_size=1) == (0, 0)
        assert not any(each.is_due for each in due_work.waiting_in_order(session, limit=10))
        Capacity(1, 0).check(session)


def test_a_host_is_given_up_in_the_end(server: Server) -> None:
    server.port = 1
    for name in NAMES:
        server.submit(name)
    server.work()
    server.wait(3600)
    server.wait(86_400)
    assert {(row.state, row.error_code, row.waiting_reason) for row in server.rows()} == {
        ("failed", "unreachable", None)
    }
    assert "check the address" in str(server.row("a").error)
    assert server.down() == []


def test_a_repository_that_its_host_hides_is_hidden_after_two_answers_and_shown_when_it_can_be_read(
    server: Server,
) -> None:
    with serve_repositories(server.folder / "repositories") as host:
        server.port = int(host.url.rpartition(":")[2])
        repos.git(server.folder / "repositories" / "o" / "a.git", "branch", "dev")
        server.submit("a")
        server.submit("a", rev="dev")
        server.work()
        server.work()
        assert (server.row("a").state, server.row("a", "dev").state) == ("completed", "completed")
        path = server.folder / "repositories" / "o" / "a.git"
        path.rename(path.with_name("elsewhere.git"))

        server.pass_time(7200)
        server.submit("a")
        server.work()
        row = server.row("a")
        assert (row.state, row.hidden_at, row.error) == ("completed", None, None)
        assert "is private" in str(row.refresh_error) and row.gone_since is not None
        # The same answer soon afterwards, also to a client.
        server.wait(300)
        server.submit("a")
        server.work()
        assert server.row("a").hidden_at is None
        # Ten minutes after the first one.
        server.wait(306)
        assert None not in (server.row("a").hidden_at, server.row("a", "dev").hidden_at)
        overview = Inspector(server.db).overview()
        assert {one.id for one in overview.hidden} == {server.row("a").id, server.row("a", "dev").id}
        assert "Hidden, because" in table(overview)
        # It is asked again, less and less often.
        tries = server.tries
        for _ in range(48):
            server.wait(1800)
        assert 3 <= server.tries - tries <= 12
        assert server.row("a").hidden_at is not None

        path.with_name("elsewhere.git").rename(path)
        server.wait(86_400 * 1.2)
        for found in (server.row("a"), server.row("a", "dev")):
            assert (found.state, found.hidden_at, found.gone_since) == ("completed", None, None)
        assert server.row("a").refresh_error is None


def test_an_answer_between_two_denials_begins_again(server: Server) -> None:
    with serve_repositories(server.folder / "repositories") as host:
        server.port = int(host.url.rpartition(":")[2])
        server.submit("a")
        server.work()
        denial = Fault("status", "/o/a.git", status=403)
        for _ in range(2):
            host.faults.append(denial)
            server.pass_time(7200)
            server.submit("a")
            server.work()
            assert server.row("a").gone_since is not None
            host.faults.clear()
            server.wait(700)
            assert (server.row("a").gone_since, server.row("a").hidden_at) == (None, None)


def test_a_client_brings_a_hidden_repository_back_at_once(server: Server) -> None:
    with serve_repositories(server.folder / "repositories") as host:
        server.port = int(host.url.rpartition(":")[2])
        server.submit("a")
        server.work()
        with leased(server.db, server.row("a").id) as held:
            for _ in range(2):
                with server.db.write() as session:
                    session.run("UPDATE repository SET state = 'pending'")
                with held.fence() as session:
                    error = HistoryError("missing", "It is private.")
                    failures.apply(session, repository(server.db, held.repository.id), 4, error)
                server.pass_time(601)
        assert server.row("a").hidden_at is not None
        server.submit("a")
        server.work()
        assert (server.row("a").state, server.row("a").hidden_at) == ("completed", None)


@pytest.mark.parametrize("state", ["pending", "commits_processing"])
def test_the_host_of_a_hidden_board_is_asked_again_whatever_ends_its_next_count(server: Server, state: str) -> None:
    with serve_repositories(server.folder / "repositories") as host:
        server.port = int(host.url.rpartition(":")[2])
        server.submit("a")
        server.work()
        number = server.row("a").id
        with leased(server.db, number) as held:
            # Nothing is scheduled (PODIUM_REFRESH_EVERY=0), and no other try follows the last of these errors.
            for code in ("missing", "missing", "redirected"):
                with server.db.write() as session:
                    session.run("UPDATE repository SET state = :state", state=state)
                with held.fence() as session:
                    failures.apply(session, repository(server.db, number), 4, HistoryError(code, "No answer."))
                server.pass_time(601)
        row = server.row("a")
        assert row.hidden_at is not None and (row.state, row.not_before) == ("completed", None)
        assert row.check_at is not None
        with server.db.write() as session:
            session.run("UPDATE repository SET state = 'pending'")
            # A check that comes while it is counted is left out.
            due_checks.skip(session, {number: row.check_at}, every=0.0)
        assert server.row("a").check_at is not None


def test_a_branch_that_was_deleted_hides_nothing(server: Server) -> None:
    with serve_repositories(server.folder / "repositories") as host:
        server.port = int(host.url.rpartition(":")[2])
        path = server.folder / "repositories" / "o" / "a.git"
        repos.git(path, "branch", "dev")
        server.submit("a", rev="dev")
        server.work()
        repos.git(path, "branch", "-D", "dev")
        server.pass_time(7200)
        server.submit("a", rev="dev")
        server.work()
        row = server.row("a", "dev")
        assert (row.error_code, row.hidden_at, row.gone_since) == ("no-such-revision", None, None)
    shutil.rmtree(server.folder / "mirrors")
