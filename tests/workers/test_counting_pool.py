"""Counting processes are kept, replaced and stopped. A short script stands in for ``podium _count``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from podium.workers import child
from podium.workers.counting_pool import OUT_OF_MEMORY, CountingPool

SCRIPT = """
import json, os, signal, sys, time
for line in sys.stdin:
    order = json.loads(line)
    print(os.getpid(), flush=True)
    if "signal" in order:
        signal.signal(signal.SIGTERM, signal.SIG_IGN if order.get("deaf") else signal.SIG_DFL)
        # `nohup` passes on that it is ignored.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.kill(os.getpid(), order["signal"])
        time.sleep(60)
    if "exit" in order:
        sys.exit(order["exit"])
    if "last" in order:
        print("last", flush=True)
        break
    print("ready", flush=True)
"""


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[CountingPool]:
    def start(arguments: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        assert arguments == ["_count"]
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )

    monkeypatch.setattr(child, "start", start)
    pool = CountingPool({})
    yield pool
    pool.close()


class Run:
    """One count: its status, and the process that did it."""

    def __init__(self, pool: CountingPool, **order: object) -> None:
        self.stop = threading.Event()
        self.begun = threading.Event()
        self.pid = 0
        self._result: list[int | None] = []

        def count() -> None:
            self._result.append(pool.count(order, self.stop, self._receive))

        self._thread = threading.Thread(target=count)
        self._thread.start()

    def _receive(self, line: bytes) -> None:
        self.pid = int(line)
        self.begun.set()

    def status(self) -> int | None:
        self._thread.join(30)
        return self._result[0]


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_process_is_kept_for_the_next_count_until_it_ends(pool: CountingPool) -> None:
    pool.warm()
    first = Run(pool)
    assert first.status() == 0
    second = Run(pool, last=True)
    assert (second.status(), second.pid) == (0, first.pid)
    third = Run(pool)
    assert third.status() == 0
    assert third.pid not in (0, first.pid)
    pool.close()
    assert not exists(third.pid)


def test_no_process_is_started_for_a_first_count_that_has_begun(pool: CountingPool) -> None:
    first = Run(pool)
    assert first.status() == 0
    pool.warm()
    second = Run(pool)
    assert (second.status(), second.pid) == (0, first.pid)


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"signal": signal.SIGXCPU}, -signal.SIGXCPU),
        ({"signal": signal.SIGKILL}, -signal.SIGKILL),
        ({"exit": OUT_OF_MEMORY}, OUT_OF_MEMORY),
        ({"exit": 2}, 2),
    ],
)
def test_the_status_of_a_process_that_died_says_why_and_the_next_count_has_another(
    pool: CountingPool, order: dict[str, object], status: int
) -> None:
    dead = Run(pool, **order)
    assert dead.status() == status
    following = Run(pool)
    assert following.status() == 0
    assert following.pid != dead.pid


@pytest.mark.parametrize("order", [{"exit": 0}, {"signal": signal.SIGTERM}, {"signal": signal.SIGHUP}])
def test_a_process_that_was_stopped_from_outside_is_no_crash(pool: CountingPool, order: dict[str, object]) -> None:
    assert Run(pool, **order).status() is None


def test_a_process_that_died_while_it_was_idle_is_replaced(pool: CountingPool) -> None:
    first = Run(pool)
    assert first.status() == 0
    os.kill(first.pid, signal.SIGKILL)
    os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)
    second = Run(pool)
    assert second.status() == 0
    assert second.pid != first.pid


@pytest.mark.parametrize("deaf", [False, True])
def test_a_stopped_process_is_no_crash(pool: CountingPool, monkeypatch: pytest.MonkeyPatch, *, deaf: bool) -> None:
    monkeypatch.setattr(child, "GRACE", 0.2)
    run = Run(pool, signal=signal.SIGCONT, deaf=deaf)
    assert run.begun.wait(30)
    run.stop.set()
    assert run.status() is None
    assert not exists(run.pid)
