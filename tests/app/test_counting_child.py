"""What the end of a counting process means for its repository."""

from __future__ import annotations

import errno
import signal
import threading
from pathlib import Path
from typing import Any, NoReturn

import pytest

from podium.app.processes.counting_child import ChildCounter
from podium.jobs import lease
from podium.repositories.model import Repository
from podium.settings import Settings
from podium.storage.session import Database
from podium.telemetry.current_job import Job, running
from podium.workers.counting_pool import OUT_OF_MEMORY
from tests.support.rows import add_repository
from tests.support.rows import repository as saved


class Pool:
    """Counting processes that end with ``status``."""

    def __init__(self, status: int | None) -> None:
        self.status = status

    def count(self, *_: Any) -> int | None:
        return self.status


@pytest.mark.parametrize(
    ("status", "state", "word", "outcome", "is_held"),
    [
        (0, "pending", "", "done", True),
        (None, "pending", "", "released", False),
        (-signal.SIGXCPU, "failed", "PODIUM_COUNT_CPU_SECONDS", "failed", False),
        (OUT_OF_MEMORY, "failed", "PODIUM_COUNT_MEMORY", "failed", False),
        (-signal.SIGKILL, "pending", "", "crashed", True),
        (1, "pending", "", "crashed", False),
    ],
)
def test_a_limit_fails_the_repository_and_only_a_crash_leaves_the_lease_to_expire(
    tmp_path: Path, db: Database, status: int | None, state: str, word: str, outcome: str, *, is_held: bool
) -> None:
    counter = ChildCounter(Settings(data_dir=str(tmp_path)), db)
    counter._pool = Pool(status)  # type: ignore[assignment]
    row = held(db)
    job = Job("commit-processing", row.id, "1")
    with running(job):
        assert counter.count(row, threading.Event()) is (outcome != "crashed")
    found = saved(db, row.id)
    assert (found.state, found.crashes) == (state, 0)
    assert word in (found.error or "")
    assert (job.outcome, found.lease_holder is not None) == (outcome, is_held)


@pytest.mark.parametrize(
    "error",
    [BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), RuntimeError("can't start new thread")],
)
def test_a_machine_without_room_for_a_process_does_not_count_against_the_repository(
    tmp_path: Path, db: Database, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def cannot_start(*_: object) -> NoReturn:
        raise error

    counter = ChildCounter(Settings(data_dir=str(tmp_path)), db)
    monkeypatch.setattr(counter._pool, "count", cannot_start)
    row = held(db)
    job = Job("commit-processing", row.id, "1")
    with running(job):
        assert not counter.count(row, threading.Event())
    assert (job.outcome, saved(db, row.id).lease_holder) == ("error", None)


def held(db: Database) -> Repository:
    row = lease.grab(db, add_repository(db), seconds=60)
    assert row is not None
    return row
