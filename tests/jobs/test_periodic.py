from __future__ import annotations

import logging
import queue
import threading

import pytest

from podium.errors import StorageError
from podium.jobs.periodic import Periodic
from podium.telemetry.outage_log import OutageLog

# Far longer than any test: what is called after it is called too late.
HOUR = 3600.0


def test_the_first_call_is_at_once_or_after_the_interval() -> None:
    called: queue.SimpleQueue[str] = queue.SimpleQueue()
    with Periodic("a", HOUR, lambda: called.put("late")), Periodic("b", HOUR, lambda: called.put("now"), at_once=True):
        assert called.get(timeout=30) == "now"
    assert called.empty()


def test_calls_are_repeated_and_none_is_made_after_stop() -> None:
    called: queue.SimpleQueue[int] = queue.SimpleQueue()
    thread = Periodic("count", 0.001, lambda: called.put(1))
    thread.start()
    for _ in range(3):
        called.get(timeout=30)
    thread.stop()
    assert "count" not in [each.name for each in threading.enumerate()]


def test_an_outage_is_logged_once_and_does_not_end_the_calls(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    faults = [StorageError("away"), StorageError("away")]
    succeeded = threading.Event()

    def do() -> None:
        if faults:
            raise faults.pop()
        succeeded.set()

    outages = OutageLog(logging.getLogger("podium.test"), "it waits", "it goes on")
    with Periodic("work", HOUR, do, at_once=True, retry_seconds=0.001, outage_log=outages):
        assert succeeded.wait(30)
    assert [record.message for record in caplog.records] == ["it waits: away", "it goes on"]


def test_a_stop_does_not_wait_for_a_call_that_hangs() -> None:
    started, go_on = threading.Event(), threading.Event()

    def hang() -> None:
        started.set()
        go_on.wait(30)

    thread = Periodic("hang", HOUR, hang, at_once=True)
    thread.start()
    assert started.wait(30)
    thread.stop(wait=False)
    go_on.set()
    thread.stop()


def test_an_unexpected_error_is_logged_once_with_its_place_and_does_not_end_the_calls(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Such as an error of the disk where no caller expects one.
    faults: list[Exception] = [OSError(5, "Input/output error"), OSError(5, "Input/output error"), KeyError("bug")]
    succeeded = threading.Event()

    def do() -> None:
        if faults:
            raise faults.pop(0)
        succeeded.set()

    with Periodic("work", HOUR, do, at_once=True, retry_seconds=0.001):
        assert succeeded.wait(30)
    assert [record.message for record in caplog.records] == ["work: unexpected error"] * 2
    assert all(record.exc_info for record in caplog.records)
