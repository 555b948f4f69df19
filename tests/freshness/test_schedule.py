"""The schedule: which repositories are asked for, how often, what that costs, and what follows."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from podium.accounts.github.github_session import GitHubSession
from podium.accounts.github.requests import Response, TransportFailure
from podium.blocks import block_list
from podium.errors import StorageError
from podium.freshness.check import Hosts, NoAnswer
from podium.freshness.github_heads import GitHubHeads
from podium.freshness.host_answer import HostAnswer
from podium.freshness.schedule import Schedule
from podium.freshness.stated_addresses import StatedAddresses
from podium.repositories.address_policy import AddressPolicy
from podium.repositories.model import Repository, State
from podium.repositories.store.queue import pauses
from podium.settings import Settings
from podium.storage.session import Database
from podium.storage.sqlite import SqliteDatabase
from podium.storage.transactions.time_limits import NORMAL, TimeLimit
from tests.support.pretended_github import PretendedGitHub, answered, tokens
from tests.support.rows import RecordingQueues, add_repository, repository

DAY = 86_400.0
HEAD, NEW_HEAD = "a" * 40, "b" * 40


class PretendedHosts:
    """Answers for one repository at a time, by key."""

    def __init__(self) -> None:
        self.answers: dict[str, HostAnswer | NoAnswer] = {}
        self.asked: list[str] = []

    def ask(self, row: Repository, _stop: threading.Event, *, asks_head: bool = True) -> HostAnswer | NoAnswer:
        self.asked.append(row.key)
        return self.answers.get(row.key, HostAnswer(head=HEAD))


class Counted:
    """A database that notes its statements, and fails a transaction if ``fails`` is in one of them."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.statements: list[str] = []
        self.fails = "no statement"

    @contextlib.contextmanager
    def _noting(self, begin: Any, limit: TimeLimit) -> Iterator[Any]:
        with begin(limit) as session:
            counted = self

            class Session:
                def __getattr__(self, name: str) -> Any:
                    def call(sql: str, /, *given: Any, **params: Any) -> Any:
                        counted.statements.append(" ".join(sql.split()))
                        if counted.fails in sql:
                            raise StorageError("away")
                        return getattr(session, name)(sql, *given, **params)

                    return call

            yield Session()

    def read(self, limit: TimeLimit = NORMAL, /) -> Any:
        return self._noting(self._db.read, limit)

    def write(self, limit: TimeLimit = NORMAL, /) -> Any:
        return self._noting(self._db.write, limit)

    def close(self) -> None:
        """Do nothing: the fixture closes the database."""


class Impatient(threading.Event):
    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


class World:
    """A database of boards, and hosts that answer for them."""

    def __init__(self, db: Database) -> None:
        self.real = db
        self.db = Counted(db)
        self.github = PretendedGitHub()
        self.hosts = PretendedHosts()
        self.queues = RecordingQueues()
        self.now = 0.0
        self.stop = Impatient()

    def boards(self, number: int, host: str = "github.com", **columns: object) -> list[int]:
        """Boards that are due, and known at GitHub with their numbers."""
        ids = []
        for place in range(number):
            name = f"o/r{place:04}"
            ids.append(add_repository(self.real, f"{host}/{name}", host=host, state="completed"))
            self.github.add(name, 1000 + place, HEAD)
        values = {
            "check_at": "{now} - 1",
            "last_read_at": "{now}",
            "commits_processed_at": "{now} - 100000",
            "head": f"'{HEAD}'",
            "branch": "'main'",
            "name": "substr(key, length(host) + 4)",
        }
        self.change(*ids, **values | columns)
        return ids

    def change(self, *ids: int, **columns: object) -> None:
        assignments = ", ".join(f"{name} = {value}" for name, value in columns.items())
        with self.real.write() as session:
            session.run(f"UPDATE repository SET {assignments} WHERE id IN ({', '.join(map(str, ids))})")

    def schedule(self, *, has_token: bool = True, every: float = DAY, per_hour: int = 3_600_000) -> Schedule:
        stated = StatedAddresses(AddressPolicy(Settings()), "https://github.com")
        heads = GitHubHeads(self.github, tokens(), stated, host="github.com", stop=self.stop)
        return Schedule(
            self.db,
            self.queues,
            cast(Hosts, self.hosts),
            heads if has_token else None,
            every=every,
            per_hour=per_hour,
            stop=self.stop,
            clock=lambda: self.now,
        )

    def run(self, schedule: Schedule, passes: int = 1, seconds: float = 5.0) -> None:
        for _ in range(passes):
            self.now += seconds
            schedule.run()
            schedule.wait()

    def row(self, number: int) -> Repository:
        return repository(self.real, number)

    def wait(self, number: int) -> float:
        """Seconds until it is checked."""
        with self.real.read() as session:
            return float(session.value("SELECT check_at - {now} FROM repository WHERE id = :id", id=number))


@pytest.fixture
def world(db: Database) -> World:
    return World(db)


@pytest.fixture
def small(sqlite: SqliteDatabase) -> World:
    """On one database, where SQL is not the point."""
    return World(sqlite)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GitHubSession, "_wait", lambda _self, _seconds: None)


def test_a_hundred_unchanged_boards_cost_one_point_and_a_few_statements(world: World) -> None:
    ids = world.boards(100)
    schedule = world.schedule()
    world.run(schedule)
    assert [len(names) for names in world.github.asked] == [100] and not world.hosts.asked and not world.queues.enqueued
    # A thousand may cost two hundred.
    assert len(world.db.statements) <= 15
    before = world.row(ids[0])
    assert before.checked_at and before.host_number == "1000"
    assert all(DAY / 8 < world.wait(number) <= DAY * 9 / 8 + 1 for number in ids)
    # Nothing is due: one statement, as often as it is looked for.
    del world.db.statements[:]
    world.run(schedule, 3)
    assert len(world.db.statements) == 3


def test_only_boards_with_new_commits_are_counted_after_what_people_submitted(world: World) -> None:
    ids = world.boards(12)
    world.github.add("o/r0003", 1003, NEW_HEAD)
    world.github.add("o/r0007", 1007, NEW_HEAD)
    world.run(world.schedule())
    assert sorted(world.queues.enqueued) == [(ids[3],), (ids[7],)]
    changed = world.row(ids[3])
    assert changed.state == State.PENDING and changed.is_scheduled and changed.virtual_start > 1e12
    assert {world.row(number).state for number in ids if number not in (ids[3], ids[7])} == {State.COMPLETED}


def test_boards_whose_time_is_near_are_asked_for_with_those_that_are_due(small: World) -> None:
    """A thousand boards, each at its own moment, cost at most twenty points a day."""
    ids = small.boards(300)
    for place, number in enumerate(ids):
        small.change(number, check_at=f"{{now}} + {DAY * place / 300} - 1")
    schedule = small.schedule()
    small.run(schedule)
    assert [len(names) for names in small.github.asked] == [38]
    small.run(schedule)
    assert len(small.github.asked) == 1


def test_a_renamed_repository_and_two_rows_of_one_repository(small: World) -> None:
    _, _, alone = small.boards(3)
    small.github.repositories["o/r0000"] = small.github.repositories["o/r0001"]
    small.github.repositories["o/r0002"]["nameWithOwner"] = "p/new"
    small.run(small.schedule())
    assert small.row(alone).key == "github.com/p/new"
    with small.real.read() as session:
        keys = {key for (key,) in session.tuples("SELECT key FROM repository WHERE forgotten_at IS NULL")}
    assert keys == {"github.com/o/r0001", "github.com/p/new"}


def test_what_github_does_not_show_is_asked_of_git(small: World) -> None:
    small.boards(3)
    del small.github.repositories["o/r0001"]
    small.hosts.answers["github.com/o/r0001"] = HostAnswer(gone_code="missing")
    small.run(small.schedule())
    assert small.hosts.asked == ["github.com/o/r0001"]
    with small.real.read() as session:
        assert session.value("SELECT count(*) FROM repository WHERE gone_since IS NOT NULL") == 1


@pytest.mark.parametrize("kind", ["limited", "away", "refused"])
def test_while_github_does_not_answer_everything_waits(small: World, kind: str) -> None:
    limited = answered({"errors": [{"type": "RATE_LIMITED"}]}, retry_after="500")
    faults: dict[str, list[Response | TransportFailure]] = {
        "limited": [limited],
        "away": [TransportFailure("connect")] * 3,
        "refused": [answered({}, 401)] * 3,
    }
    ids = small.boards(5)
    small.github.faults = list(faults[kind])
    schedule = small.schedule(per_hour=60)
    small.run(schedule)
    assert not small.github.asked and not small.hosts.asked and not small.github.faults
    assert all(small.wait(number) > 50 for number in ids)
    assert all(small.row(number).checked_at is None for number in ids)


def test_elsewhere_each_host_is_asked_at_its_pace(world: World) -> None:
    ours, theirs = world.boards(9, host="a.example"), world.boards(9, host="b.example")
    # One a minute, and first after a minute: another process may have asked just before.
    schedule = world.schedule(per_hour=60)
    world.run(schedule)
    assert not world.hosts.asked
    for minute in range(1, 4):
        world.change(*ours, *theirs, check_at="{now} - 1")
        world.now = 60.0 * minute
        world.run(schedule)
    asked = [key.partition("/")[0] for key in world.hosts.asked]
    # The last turn may last a minute.
    assert asked.count("a.example") == asked.count("b.example") in (3, 4)
    waits = sorted(world.wait(number) for number in ours if world.row(number).checked_at is None)
    assert all(later - sooner > 55 for sooner, later in itertools.pairwise(waits))


def test_a_host_that_is_silent_is_left_alone(small: World) -> None:
    small.boards(9, host="a.example")
    small.hosts.answers = {
        f"a.example/o/r{place:04}": NoAnswer("unreachable", "It cannot be reached.") for place in range(9)
    }
    schedule = small.schedule()
    small.run(schedule, 3)
    assert len(small.hosts.asked) == 1


def test_what_is_not_asked_for(world: World) -> None:
    blocked, paused, down, counted, hosted = world.boards(5)
    world.change(counted, state="'pending'")
    world.change(down, host="'d.example'", key="'d.example/o/r'")
    world.change(hosted, host="'p.example'", key="'p.example/o/r'")
    with world.real.write() as session:
        block_list.add(session, block_list.BlockKind.REPOSITORY, "github.com/o/r0000")
        pauses.pause(session, pauses.PauseKind.REPOSITORY, str(paused))
        pauses.pause(session, pauses.PauseKind.HOST, "p.example")
        session.run("INSERT INTO git_host (host, failures, message, down_since) VALUES ('d.example', 9, 'm', {now})")
    schedule = world.schedule()
    world.run(schedule, 4)
    assert not world.github.asked and not world.hosts.asked
    assert all(world.wait(number) > 60 for number in (blocked, paused, down, counted, hosted))


def test_a_paused_schedule_asks_nothing(small: World) -> None:
    ids = small.boards(3)
    with small.real.write() as session:
        pauses.pause(session, pauses.PauseKind.SCHEDULE, "")
    schedule = small.schedule()
    small.run(schedule)
    assert not small.github.asked and small.wait(ids[0]) < 0
    with small.real.write() as session:
        pauses.resume(session, pauses.PauseKind.SCHEDULE, "")
    small.run(schedule)
    assert len(small.github.asked) == 1


def test_after_a_long_downtime_not_all_are_asked_for_at_once(small: World) -> None:
    small.boards(40, check_at="{now} - 100000")
    small.run(small.schedule(), 2)
    assert not small.github.asked


def test_a_pass_that_dies_is_repeated(small: World) -> None:
    [number] = small.boards(1)
    schedule = small.schedule()
    small.db.fails = "checked_at = {now}"
    with pytest.raises(StorageError):
        small.run(schedule)
    small.db.fails = "no statement"
    small.run(schedule)
    assert len(small.github.asked) == 1
    small.change(number, check_at="check_at - 300")
    small.run(schedule)
    assert small.row(number).checked_at is not None


def test_a_process_that_does_not_lead_does_nothing(small: World) -> None:
    small.boards(1)
    schedule = small.schedule()
    schedule._leads = lambda: False
    small.run(schedule)
    assert not small.db.statements


def test_new_boards_get_their_moments_and_what_waits_too_long_a_turn(small: World) -> None:
    new, starving = small.boards(2, check_at="NULL")
    small.change(starving, state="'pending'", is_scheduled="true", virtual_start="1e12 + {now} - 4000")
    small.run(small.schedule())
    assert small.row(new).check_at is not None
    assert small.row(starving).virtual_start == 0


def test_a_repository_that_gives_no_answer_is_asked_more_and_more_seldom_while_it_is_read(small: World) -> None:
    read, unread = small.boards(2, host="a.example")
    small.change(unread, last_read_at="1", created_at="1")
    small.hosts.answers = {f"a.example/o/r{place:04}": NoAnswer("redirected", "It is elsewhere.") for place in range(2)}
    schedule = small.schedule(every=3000.0)
    delays = []
    for _ in range(5):
        small.change(read, check_at="{now} - 1")
        small.run(schedule)
        delays.append(round(small.wait(read), -1))
    assert delays == [600, 1200, 2400, 3000, 3000]
    assert small.row(unread).check_at is None


def test_after_a_long_pause_not_all_are_asked_for_at_once(small: World) -> None:
    small.boards(40, check_at="{now} - 100000")
    schedule = small.schedule()
    with small.real.write() as session:
        pauses.pause(session, pauses.PauseKind.SCHEDULE, "")
    small.run(schedule, 3, seconds=600)
    with small.real.write() as session:
        pauses.resume(session, pauses.PauseKind.SCHEDULE, "")
    small.run(schedule, 2)
    assert not small.github.asked
