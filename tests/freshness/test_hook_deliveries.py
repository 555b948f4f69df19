"""Deliveries and their effect on rows: counted at once, once a minute, hidden, and nothing lost."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import Any

import pytest

from podium.blocks import block_list
from podium.blocks.block_list import BlockKind
from podium.freshness.apply_answer import Applied, apply
from podium.freshness.hooks.hook_checks import CHECKS_OF_HOST, HookChecks
from podium.freshness.hooks.hook_deliveries import Delivered, deliver
from podium.freshness.hooks.hook_events import HookEvent, HookKind
from podium.freshness.host_answer import HostAnswer
from podium.repositories.address import parse_address
from podium.repositories.model import Repository, State
from podium.repositories.store import queries
from podium.repositories.store.freshness import names, pushes
from podium.repositories.store.queue import due_work, pauses
from podium.repositories.store.queue.pauses import PauseKind
from podium.storage.session import Database, Session
from podium.storage.sqlite import SqliteDatabase
from tests.support.plans import Explained
from tests.support.rows import RecordingQueues, add_repository, repository
from tests.support.server import wait_until

PUSH = HookEvent(HookKind.PUSH, parse_address("https://github.com/o/r"), "7", branches=("main",), default_branch="main")
DELETED = HookEvent(HookKind.HIDDEN, PUSH.address, "7")
RENAMED = HookEvent(HookKind.CHANGED, parse_address("https://github.com/o/new"), "7", former=PUSH.address)

BOARD = {"head": "h", "branch": "main", "commits_processed_at": 1.0, "last_processed_at": 1.0, "host_number": "7"}


class Site:
    """A board, the queue, and a pass of what is due whose host gives ``answer``."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.queues = RecordingQueues()
        self.answer: Callable[[Repository], HostAnswer | None] = lambda row: HostAnswer(
            number="7", head=row.head, is_readable=True
        )
        self.asked: list[int] = []
        self.id = add_repository(db, state="completed")
        self.change(**BOARD)

    def change(self, **columns: Any) -> None:
        """Change columns of the board; a text that begins with ``=`` is SQL."""
        with self.db.write() as session:
            for name, value in columns.items():
                sql = value[1:] if isinstance(value, str) and value.startswith("=") else ":value"
                parameters = {} if sql != ":value" else {"value": value}
                session.run(f"UPDATE repository SET {name} = {sql} WHERE id = :id", id=self.id, **parameters)

    def pass_time(self, seconds: float) -> None:
        """Let everything have been so many seconds earlier."""
        for name in ("pushed_at", "hook_due_at", "check_at", "checked_at", "last_attempt"):
            self.change(**{name: f"={name} - {seconds}"})

    def end_count(self) -> None:
        self.change(state="completed", lease_until=None)

    def deliver(self, event: HookEvent) -> Delivered:
        return deliver(self.db, self.queues, event)

    def run_due(self) -> int:
        """Do what is due; return how many counts that began."""
        before = len(self.queues.enqueued)
        checks = HookChecks(self.db, self.queues, lambda: True, self.check)
        checks.run()
        checks.stop(wait=True)
        return len(self.queues.enqueued) - before

    def check(self, row: Repository) -> Applied | None:
        self.asked.append(row.id)
        answer = self.answer(row)
        if answer is None:
            return None
        with self.db.write() as session:
            return apply(session, row, answer, is_push=True)

    def seconds_until_due(self) -> float:
        with self.db.read() as session:
            found: float = session.value("SELECT hook_due_at - {now} FROM repository WHERE id = :id", id=self.id)
        return found

    @property
    def row(self) -> Repository:
        return repository(self.db, self.id)


@pytest.fixture
def site(db: Database) -> Site:
    return Site(db)


def test_the_first_push_counts_at_once_with_the_priority_of_a_person(site: Site) -> None:
    site.change(is_scheduled=True, state="pending")
    assert site.deliver(PUSH) is Delivered.ACCEPTED
    assert site.queues.enqueued == [(site.id,)]
    assert (site.row.state, site.row.is_scheduled) == ("pending", False)


def test_a_flood_is_one_count_at_once_and_then_one_a_minute(site: Site) -> None:
    for _ in range(20):
        site.deliver(PUSH)
    assert len(site.queues.enqueued) == 1
    for minute in range(3):
        site.end_count()
        for _ in range(20):
            site.deliver(PUSH)
        assert site.run_due() == 0
        site.pass_time(40)
        assert site.run_due() == 0
        site.pass_time(21)
        assert site.run_due() == 1
        assert len(site.queues.enqueued) == 2 + minute
    site.end_count()
    site.pass_time(61)
    # Nothing came meanwhile.
    assert site.run_due() == 0 and site.row.hook_due_at is None


@pytest.mark.parametrize("in_between", [False, True])
def test_a_flood_costs_one_statement_each(site: Site, *, in_between: bool) -> None:
    site.deliver(PUSH)
    site.change(state="commits_processing" if in_between else "completed")
    site.deliver(PUSH)
    counts = []
    for number in (10, 20):
        explained = Explained(site.db)
        for _ in range(number):
            deliver(explained, site.queues, PUSH)
        counts.append(len(explained.statements))
        if isinstance(site.db, SqliteDatabase):
            # PostgreSQL reads a table of one row from end to end.
            assert not [s.sql for s in explained.statements if "repository" in s.plan.sequential]
    assert counts == [10, 20]


def test_processes_that_receive_pushes_at_once_begin_one_count(site: Site) -> None:
    start = threading.Barrier(4)

    def receive() -> None:
        start.wait()
        site.deliver(PUSH)

    threads = [threading.Thread(target=receive) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.queues.enqueued == [(site.id,)]


def test_a_push_in_the_middle_of_a_count_is_counted_after_it(site: Site) -> None:
    site.change(state="commits_processing", last_attempt="={now} - 200")
    assert site.deliver(PUSH) is Delivered.ACCEPTED
    assert site.run_due() == 0 and site.row.hook_due_at is not None
    site.end_count()
    assert site.run_due() == 1
    # While accounts are looked up, too.
    site.pass_time(100)
    site.change(state="users_processing")
    site.deliver(PUSH)
    assert site.row.state == "pending"


def test_a_push_that_comes_while_the_host_is_asked_is_not_lost(site: Site) -> None:
    site.deliver(RENAMED)

    def answer(row: Repository) -> HostAnswer:
        # The answer is older than the push.
        site.change(pushed_at="={now} - 5")
        assert site.deliver(PUSH) is Delivered.ACCEPTED
        return HostAnswer(number="7", head=row.head, is_readable=True)

    site.answer = answer
    assert site.run_due() == 0
    site.pass_time(61)
    site.answer = lambda _: HostAnswer(number="7", head="new")
    site.run_due()
    assert site.row.state == "pending"


@pytest.mark.parametrize(
    ("event", "columns", "counts"),
    [
        (dataclasses.replace(PUSH, branches=("feature",)), {}, 0),
        (dataclasses.replace(PUSH, branches=()), {}, 0),
        (dataclasses.replace(PUSH, branches=("trunk",), default_branch="trunk"), {}, 1),
        (dataclasses.replace(PUSH, default_branch=None), {}, 1),
        (dataclasses.replace(PUSH, default_branch=None, branches=("x",)), {}, 0),
        (dataclasses.replace(PUSH, number=None), {}, 1),
        (PUSH, {"host_number": None}, 1),
        (PUSH, {"state": "pending"}, 0),
        (PUSH, {"state": "failed", "error_code": "empty"}, 1),
        (PUSH, {"state": "failed", "error_code": "too-large"}, 0),
    ],
)
def test_which_pushes_count(site: Site, event: HookEvent, columns: dict[str, Any], counts: int) -> None:
    site.change(**columns)
    assert site.deliver(event) is (Delivered.ACCEPTED if counts else Delivered.IGNORED)
    assert len(site.queues.enqueued) == counts


def test_what_is_not_here_is_unknown_and_costs_one_statement(site: Site) -> None:
    explained = Explained(site.db)
    other = dataclasses.replace(PUSH, address=parse_address("https://github.com/o/other"), number="8")
    assert deliver(explained, site.queues, other) is Delivered.UNKNOWN
    assert len(explained.statements) == 1
    # The same number at another host.
    there = dataclasses.replace(PUSH, address=parse_address("https://git.example.org/o/x"))
    assert site.deliver(there) is Delivered.UNKNOWN


def test_a_deleted_repository_is_hidden_until_its_host_says_otherwise(site: Site) -> None:
    branch = add_repository(site.db, "github.com/o/r#dev", state="completed")
    with site.db.write() as session:
        session.run("UPDATE repository SET parent_key = 'github.com/o/r', revision = 'dev' WHERE id = :id", id=branch)

    def hidden() -> set[bool]:
        return {repository(site.db, number).hidden_at is not None for number in (site.id, branch)}

    for _ in range(3):
        # A redelivery, or a replay of what is not true any more.
        site.deliver(DELETED)
        assert hidden() == {True}
        site.pass_time(15)
        site.run_due()
        assert hidden() == {False}
    site.deliver(DELETED)
    site.answer = lambda _: HostAnswer(gone_code="missing")
    site.pass_time(15)
    site.run_due()
    assert hidden() == {True}
    assert site.asked == [site.id] * 4
    # Published again, in any order: its host shows it.
    site.answer = lambda row: HostAnswer(number="7", head=row.head, is_readable=True)
    site.deliver(RENAMED)
    site.pass_time(15)
    site.run_due()
    assert hidden() == {False}


def test_a_host_that_does_not_answer_is_asked_again(site: Site) -> None:
    site.deliver(DELETED)
    site.answer = lambda _: None
    site.run_due()
    assert site.run_due() == 0 and len(site.asked) == 1
    site.pass_time(100)
    site.run_due()
    assert len(site.asked) == 2 and site.row.hidden_at is not None


def test_a_host_that_never_answers_is_asked_more_and_more_seldom(site: Site) -> None:
    site.deliver(DELETED)
    site.answer = lambda _: None
    checks = HookChecks(site.db, site.queues, lambda: True, site.check)

    def delay() -> float:
        before = len(site.asked)
        site.change(hook_due_at="=0")
        # A pass leaves the repository out until the end of its last check is noted.
        wait_until(lambda: (checks.run(), len(site.asked) > before)[1], "the check")
        wait_until(lambda: abs(site.seconds_until_due() - pushes.CLAIMED) > 15, "the end of the check")
        return site.seconds_until_due()

    assert [delay() for _ in range(8)] == pytest.approx([90, 180, 360, 720, 1440, 2880, 3600, 3600], abs=15)
    checks.stop()


def test_checks_of_one_slow_host_delay_neither_counts_nor_other_hosts(site: Site) -> None:
    slow = [add_repository(site.db, f"github.com/o/{number}", state="completed") for number in range(250)]
    other = add_repository(site.db, "gitlab.com/o/r", host="gitlab.com", state="completed")
    with site.db.write() as session:
        session.run("UPDATE repository SET hook_due_at = 1, hook_wants_check = true")
    site.change(hook_due_at=5.0, hook_wants_check=False)
    end, asked = threading.Event(), threading.Event()

    def ask(row: Repository) -> Applied:
        asked.set() if row.id == other else end.wait(30)
        return Applied(row.id)

    checks = HookChecks(site.db, site.queues, lambda: True, ask)
    checks.run()
    assert asked.wait(30) and site.queues.enqueued == [(site.id,)]
    end.set()
    checks.stop(wait=True)
    with site.db.read() as session:
        left = session.value("SELECT count(*) FROM repository WHERE hook_due_at IS NOT NULL")
    assert len(slow) - left == CHECKS_OF_HOST


def test_a_push_in_a_long_check_is_not_lost(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podium.freshness.hooks.hook_checks._RENEWED", 0.01)
    site.change(pushed_at="={now}")
    site.deliver(RENAMED)

    def answer(row: Repository) -> HostAnswer:
        first = site.row.hook_due_at
        # It is renewed, so that no other process begins it.
        wait_until(lambda: (site.row.hook_due_at or 0.0) > (first or 0.0), "a renewal")
        assert site.deliver(PUSH) is Delivered.ACCEPTED
        return HostAnswer(number="7", head=row.head)

    site.answer = answer
    site.run_due()
    assert site.row.hook_due_at is not None


def test_a_check_counts_nothing_that_is_paused(site: Site) -> None:
    with site.db.write() as session:
        pauses.pause(session, PauseKind.SCHEDULE, "")
    site.deliver(RENAMED)
    site.answer = lambda _: HostAnswer(number="7", head="another")
    site.run_due()
    assert site.asked == [site.id] and site.row.state == "completed"
    assert site.run_due() == 0 and site.asked == [site.id]
    with site.db.write() as session:
        pauses.resume(session, PauseKind.SCHEDULE, "")
    assert site.run_due() == 1


def test_counts_of_pushes_leave_room_for_submissions(site: Site) -> None:
    site.deliver(PUSH)
    other = add_repository(site.db, "github.com/o/x", state="completed")
    with site.db.write() as session:
        session.run("UPDATE repository SET head = 'h', commits_processed_at = 1 WHERE id = :id", id=other)
    row = repository(site.db, other)
    with site.db.write() as session:
        apply(session, row, HostAnswer(head="another"), is_push=True)
    assert (site.row.state, repository(site.db, other).state) == ("pending", "pending")
    with site.db.read() as session:
        assert due_work.waiting(session, unknown_size=1) == (0, 0)


def test_a_check_whose_process_ended_is_made_again(site: Site) -> None:
    site.deliver(DELETED)
    with site.db.write() as session:
        session.run("UPDATE repository SET hook_due_at = hook_due_at + 120 WHERE id = :id", id=site.id)
    site.run_due()
    assert site.asked == []
    site.pass_time(121)
    site.run_due()
    assert site.asked == [site.id] and site.row.hidden_at is None


def test_a_rename_is_asked_about_and_pushes_under_either_name_count(site: Site) -> None:
    site.deliver(RENAMED)
    site.answer = lambda row: HostAnswer(number="7", address=RENAMED.address, head=row.head)
    site.run_due()
    assert site.row.key == "github.com/o/new"
    # A late delivery has the old name.
    for event in (dataclasses.replace(PUSH, number=None), dataclasses.replace(PUSH, address=RENAMED.address)):
        site.pass_time(100)
        site.end_count()
        assert site.deliver(event) is Delivered.ACCEPTED
    assert site.queues.enqueued == [(site.id,)] * 2


def test_another_repository_of_the_same_name_counts_and_hides_nothing(site: Site) -> None:
    for event in (PUSH, DELETED):
        site.deliver(dataclasses.replace(event, number="8"))
        assert site.row.hidden_at is None and site.queues.enqueued == []
        assert site.row.hook_wants_check
    site.change(name_taken_at=1.0, hook_due_at=None)
    assert site.deliver(dataclasses.replace(PUSH, number="8")) is Delivered.IGNORED


def test_a_branch_without_its_repository_is_hidden_and_counted(site: Site) -> None:
    site.change(key="github.com/o/r#dev", parent_key="github.com/o/r", revision="dev")
    assert site.deliver(PUSH) is Delivered.IGNORED
    site.deliver(DELETED)
    assert site.row.hidden_at is not None
    assert site.run_due() == 1 and site.asked == []


@pytest.mark.parametrize("kind", list(PauseKind))
def test_what_is_paused_is_counted_after_a_resume(site: Site, kind: PauseKind) -> None:
    name = {PauseKind.SCHEDULE: "", PauseKind.HOST: "github.com", PauseKind.REPOSITORY: str(site.id)}[kind]
    with site.db.write() as session:
        pauses.pause(session, kind, name)
    for _ in range(3):
        site.deliver(PUSH)
    assert site.run_due() == 0 and site.queues.enqueued == []
    with site.db.write() as session:
        pauses.resume(session, kind, name)
    assert site.run_due() == 1


def test_a_host_that_is_down_is_not_asked(site: Site) -> None:
    with site.db.write() as session:
        session.run("INSERT INTO git_host (host, failures, message, down_since) VALUES ('github.com', 3, 'x', 1.0)")
    site.deliver(DELETED)
    assert site.run_due() == 0 and site.asked == []
    with site.db.write() as session:
        session.run("DELETE FROM git_host")
    site.run_due()
    assert site.asked == [site.id]


def test_what_is_blocked_is_not_counted(site: Site) -> None:
    with site.db.write() as session:
        block_list.add(session, BlockKind.OWNER, "github.com/o")
    site.deliver(PUSH)
    assert site.queues.enqueued == [] and site.row.state == "completed"


def test_a_forgotten_repository_is_unknown(site: Site) -> None:
    site.change(forgotten_at=1.0)
    assert site.deliver(PUSH) is Delivered.UNKNOWN
    with site.db.read() as session:
        assert queries.by_id(session, site.id) is None


def test_a_push_to_a_row_that_is_joined_in_the_middle_counts_the_other_row(
    sqlite: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(sqlite)
    old = add_repository(sqlite, "github.com/o/old", state="completed")
    lock = pushes.lock

    def lock_late(session: Session, number: int) -> pushes.Moment | None:
        monkeypatch.setattr(pushes, "lock", lock)
        kept, joined = queries.lock(session, old), queries.lock(session, site.id)
        assert kept is not None and joined is not None
        names.join(session, kept, joined)
        return lock(session, number)

    monkeypatch.setattr(pushes, "lock", lock_late)
    assert site.deliver(PUSH) is Delivered.ACCEPTED
    assert site.queues.enqueued == [(old,)]
    assert repository(sqlite, old).state is State.PENDING
