"""``--drain``: a worker that ends when nothing is left to do, and says whether a repository failed."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable

import pytest

from podium.errors import QueueError
from podium.forgetting.forget_repository import mark_repository
from podium.jobs.messages.queues import COMMITS, USERS
from podium.repositories.store.queue import worker_faults
from podium.storage.session import Database
from podium.workers import drain
from podium.workers.drain import Drain
from tests.support.rows import add_repository


@dataclasses.dataclass
class Messages:
    """Queues that return one answer per look, and the last one from then on."""

    answers: list[int | QueueError]
    looks: int = 0

    def waiting(self, *queues: str) -> int:
        answer = self.answers[min(self.looks, len(self.answers) - 1)]
        self.looks += 1
        if isinstance(answer, QueueError):
            raise answer
        return answer

    def is_fresh(self) -> bool:
        return False

    def note_filled(self) -> None:
        """Do nothing."""


AWAY = QueueError("Redis cannot be used.")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(drain, "PATIENCE", 0.5)


def change(db: Database, number: int, sql: str) -> None:
    with db.write() as session:
        session.run(f"UPDATE repository SET {sql} WHERE id = :id", id=number)


def run(
    db: Database,
    messages: Messages,
    then: Callable[[int], object] = lambda _: None,
    problem: Callable[[], str | None] = lambda: None,
) -> int:
    """Drain the commit queue; ``then`` is called with the number of each look."""
    looks = iter(range(10_000))

    def is_idle() -> bool:
        then(next(looks))
        return True

    stop = threading.Event()
    timer = threading.Timer(20, stop.set)
    timer.start()
    try:
        code = Drain(db, (COMMITS,), "this", problem).run(messages, is_idle, stop)
        assert not stop.is_set(), "it did not end by itself"
        return code
    finally:
        timer.cancel()


def test_it_ends_when_nothing_is_left(db: Database) -> None:
    for state in ("users_processing", "completed", "failed"):
        change(db, add_repository(db, key=f"github.com/o/{state}", state=state), "updated_at = 1")
    later = add_repository(db, key="github.com/o/later", state="pending")
    change(db, later, "not_before = {now} + 60")
    assert run(db, Messages([0])) == 0


def test_it_waits_for_messages_repositories_and_what_is_due_soon(db: Database) -> None:
    number = add_repository(db, state="pending")
    change(db, number, "not_before = {now} + 0.2")
    states: list[int] = []

    def finish(look: int) -> None:
        states.append(look)
        if look == 5:
            change(db, number, "state = 'users_processing'")

    messages = Messages([2, 1, 0])
    assert run(db, messages, finish) == 0
    assert len(states) >= 6 and messages.looks >= 6


def test_its_exit_code_says_that_a_repository_failed_since_it_started(db: Database) -> None:
    change(db, add_repository(db, key="github.com/o/before", state="failed"), "updated_at = {now} - 1")
    number = add_repository(db, state="pending")
    assert run(db, Messages([0]), lambda _: change(db, number, "state = 'failed', updated_at = {now}")) == 1


def test_it_does_not_wait_for_a_repository_of_a_live_worker(db: Database) -> None:
    number = add_repository(db, state="commits_processing")
    change(db, number, "lease_holder = 'somebody', lease_until = {now} + 30")

    def renew(look: int) -> None:
        if look == 3:
            change(db, number, "lease_until = {now} + 31")

    messages = Messages([0])
    assert run(db, messages, renew) == 0
    assert messages.looks >= 4


@pytest.mark.parametrize("queues", [(COMMITS,), (USERS,), (COMMITS, USERS)])
def test_it_ends_with_0_when_it_is_stopped(db: Database, queues: tuple[str, ...]) -> None:
    for state in ("pending", "users_processing"):
        add_repository(db, key=f"github.com/o/{state}", state=state)
    stop = threading.Event()

    def is_idle() -> bool:
        stop.set()
        return True

    assert Drain(db, queues).run(Messages([0]), is_idle, stop) == 0
    assert not Drain(db, queues).is_done()


def test_it_waits_for_a_queue_that_is_away_for_a_moment(db: Database) -> None:
    messages = Messages([AWAY, AWAY, 0])
    assert run(db, messages) == 0
    assert messages.looks == 3


def test_it_ends_with_the_reason_if_the_queue_stays_away(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "PATIENCE", 0.2)
    messages = Messages([1, 1, AWAY])
    with pytest.raises(QueueError, match="Redis cannot be used"):
        run(db, messages)
    assert messages.looks > 5


def test_it_ends_with_1_and_the_reason_on_a_machine_that_cannot_count(
    db: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "PATIENCE", 0.2)
    add_repository(db, state="pending")
    assert run(db, Messages([1]), problem=lambda: "The disk is full.") == 1
    assert "cannot be counted here: The disk is full." in caplog.text


def test_it_waits_a_moment_for_a_machine_that_cannot_count(db: Database) -> None:
    number = add_repository(db, state="pending")
    problems = iter(["The disk is full."] * 3)

    def count(look: int) -> None:
        if look == 12:
            change(db, number, "state = 'users_processing'")

    assert run(db, Messages([0]), count, problem=lambda: next(problems, None)) == 0


def test_it_ends_with_0_where_nothing_waits_for_a_machine_that_cannot_count(db: Database) -> None:
    assert run(db, Messages([1]), problem=lambda: "The disk is full.") == 0


@pytest.mark.parametrize("code", ["too-large", "disk-full"])
def test_it_ends_with_1_and_the_reason_if_only_another_worker_can_count_what_waits(
    db: Database, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    number = add_repository(db, state="pending")
    with db.write() as session:
        if code == "too-large":
            worker_faults.note_limit(session, number, "this", code, "It is too large.")
        else:
            worker_faults.note_machine(session, number, "this", code, "It is too large.", first=60, latest=60)
    assert run(db, Messages([1])) == 1
    assert f"repository {number} waits and cannot be counted here: It is too large." in caplog.text


def test_a_repository_that_is_forgotten_meanwhile_has_not_failed(db: Database) -> None:
    number = add_repository(db, state="completed")
    waiting = add_repository(db, key="github.com/o/waits")

    def forget(_: int) -> None:
        with db.write() as session:
            mark_repository(session, number, actor="test")
        change(db, waiting, "state = 'completed'")

    assert run(db, Messages([0]), forget) == 0
