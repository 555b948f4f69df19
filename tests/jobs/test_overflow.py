"""The overflow slot: jobs that take long move off their worker thread."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from podium.jobs.overflow import OverflowSlot


def test_a_long_job_moves_to_the_slot_and_the_next_long_one_waits() -> None:
    slot, go_on, done = OverflowSlot(after=0.1, size=1), threading.Event(), []

    def long() -> None:
        go_on.wait(30)
        done.append("long")

    assert slot.run(lambda: done.append("short")) is True
    assert slot.run(long) is False
    assert not slot.is_empty
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(slot.run, long)
        assert slot.run(lambda: done.append("short")) is True
        assert not second.done()
        go_on.set()
        assert second.result(10) in (True, False)
    slot.wait(10)
    assert sorted(done) == ["long", "long", "short", "short"]
    assert slot.is_empty


def test_an_error_of_a_job_reaches_its_caller_or_else_the_log(caplog: pytest.LogCaptureFixture) -> None:
    slot, go_on = OverflowSlot(after=0.1), threading.Event()

    def fail() -> None:
        raise ValueError("at once")

    def fail_late() -> None:
        go_on.wait(30)
        raise ValueError("later")

    with pytest.raises(ValueError, match="at once"):
        slot.run(fail)
    assert slot.run(fail_late) is False
    go_on.set()
    slot.wait(10)
    assert "later" in caplog.text
