"""The supervisor of worker processes goes on when one cannot be started."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable

import pytest

from podium.errors import QueueError
from podium.workers import child
from podium.workers.supervisor import FIRST_PAUSE, Supervisor


def cannot_start(*_: object, **__: object) -> int:
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


class Stop(threading.Event):
    """Calls ``during`` in place of each pause."""

    def __init__(self, during: Callable[[], None]) -> None:
        super().__init__()
        self.during = during
        self.pauses: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout)
        self.during()
        return False


def test_a_process_that_cannot_be_started_is_started_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ends = iter([cannot_start, cannot_start, lambda: 0])
    monkeypatch.setattr(child, "run", lambda *_, **__: next(ends)())

    def check_that_none_runs() -> None:
        with pytest.raises(QueueError, match="No worker process is running"):
            supervisor.check()

    stop = Stop(check_that_none_runs)
    supervisor = Supervisor(["_work"], {}, 1, stop, once=False)
    assert supervisor.run() == 0
    assert next(ends, None) is None
    assert stop.pauses == [2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert "cannot be started (Resource temporarily unavailable)" in caplog.text
