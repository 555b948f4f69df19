from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from podium.errors import QueueError
from podium.monitoring.readiness import Check, FoundProblem, Readiness, Stops


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def check(look: Callable[[], str | None], name: str = "queue", stops: Stops = Stops.WORK) -> Check:
    return Check(name, f"The {name} cannot be used", stops, look)


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_check_finds_nothing_a_message_or_an_error() -> None:
    def raises() -> None:
        raise QueueError("Redis is away: start it.")

    readiness = Readiness([check(lambda: None, "disk"), check(lambda: "It is old.", "git", Stops.READS), check(raises)])
    assert readiness.problems() == (
        FoundProblem("git", "It is old.", "The git cannot be used.", Stops.READS),
        FoundProblem("queue", "Redis is away: start it.", "The queue cannot be used.", Stops.WORK),
    )


def test_a_fault_that_two_checks_find_is_one_problem() -> None:
    readiness = Readiness([check(lambda: "It is away.", "database"), check(lambda: "It is away.", "database-write")])
    assert [problem.code for problem in readiness.problems()] == ["database"]


def test_a_check_with_a_bug_is_a_problem(caplog: pytest.LogCaptureFixture) -> None:
    def look() -> None:
        raise ZeroDivisionError

    readiness = Readiness([check(look)])
    assert [problem.code for problem in readiness.problems()] == ["queue"]
    assert "ZeroDivisionError" in caplog.text


def test_checks_run_every_five_seconds_however_many_ask() -> None:
    clock, runs, begun, proceed = Clock(), [], threading.Event(), threading.Event()

    def look() -> str:
        runs.append(1)
        begun.set()
        proceed.wait()
        return f"run {len(runs)}"

    readiness = Readiness([check(look)], clock=clock, deadline=60)
    with ThreadPoolExecutor(16) as pool:
        waiting = [pool.submit(readiness.problems) for _ in range(16)]
        begun.wait()
        proceed.set()
        assert {each.result()[0].message for each in waiting} == {"run 1"}
    clock.now = 4.9
    assert readiness.problems()[0].message == "run 1"
    clock.now = 5.1
    assert readiness.problems()[0].message == "run 2"


def test_a_check_that_hangs_is_waited_for_once_and_not_started_again(hang: threading.Event) -> None:
    clock, started = Clock(), []

    def look() -> None:
        started.append(1)
        hang.wait()

    answered: list[int] = []
    readiness = Readiness([check(look, "database"), check(lambda: answered.append(1))], clock=clock, deadline=0.05)
    for number in range(1, 4):
        clock.now += 10
        (problem,) = readiness.problems()
        assert problem.message == "The database cannot be used: it has not answered for 0.05 seconds."
        assert (len(started), len(answered)) == (1, number)


def test_a_check_that_answers_again_is_no_problem(hang: threading.Event) -> None:
    clock, done = Clock(), threading.Event()

    def look() -> None:
        hang.wait()
        done.set()

    readiness = Readiness([check(look)], clock=clock, deadline=0.05)
    assert readiness.problems()
    hang.set()
    done.wait()
    clock.now = 10
    assert not readiness.problems()


def test_a_caller_that_gives_up_does_not_stop_the_others(hang: threading.Event) -> None:
    readiness = Readiness([check(lambda: None if hang.wait() else "")], deadline=60)

    async def ask() -> tuple[FoundProblem, ...]:
        first, second = (asyncio.create_task(readiness.problems_async()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        hang.set()
        return await second

    assert asyncio.run(ask()) == ()


def test_problems_are_logged_when_they_begin_and_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    clock, found = Clock(), iter(["It is full.", "It is full.", None, None])
    readiness = Readiness([check(lambda: next(found))], clock=clock)
    for _ in range(4):
        readiness.problems()
        clock.now += 10
    assert caplog.messages == ["not ready: It is full.", "ready again"]
