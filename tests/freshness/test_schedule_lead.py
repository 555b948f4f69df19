"""Which process runs the schedule: one that works on the user queue, and thus has the token."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from podium.app import factories
from podium.app.processes.worker_process import Worker
from podium.freshness.schedule_lead import PATIENCE, ScheduleLead
from podium.jobs.messages.redis_broker import RedisBackend, connect
from podium.settings import Settings
from tests.support.valkey import Valkey

pytestmark = pytest.mark.server


@dataclasses.dataclass
class Processes:
    """Commit and user workers with the same queues, and one clock."""

    valkey: Valkey
    now: float = 0.0

    def start(self, *, works_on_users: bool) -> tuple[ScheduleLead, RedisBackend]:
        backend = RedisBackend(connect(Settings(redis_url=self.valkey.url)))
        return ScheduleLead(backend, 60, works_on_users=works_on_users, clock=lambda: self.now), backend


@pytest.fixture
def processes(valkey: Valkey) -> Processes:
    valkey.flush()
    return Processes(valkey)


def test_a_process_of_the_user_queue_runs_the_schedule_and_none_that_only_counts(processes: Processes) -> None:
    commits, _ = processes.start(works_on_users=False)
    users, _ = processes.start(works_on_users=True)
    others, _ = processes.start(works_on_users=True)
    for _ in range(3):
        assert (commits(), users(), others()) == (False, True, False)
        processes.now += 2 * PATIENCE


def test_one_that_counts_stands_in_until_one_of_the_user_queue_starts(processes: Processes) -> None:
    commits, _ = processes.start(works_on_users=False)
    others, _ = processes.start(works_on_users=False)
    users, backend = processes.start(works_on_users=True)
    assert users()
    processes.now += 2 * PATIENCE
    assert not commits()
    backend.stop_leading()
    processes.now += PATIENCE / 2
    assert not commits(), "a user worker that restarts is back before"
    processes.now += PATIENCE
    assert (commits(), others()) == (True, False)
    assert users()
    assert not commits()


def test_one_that_leaves_lets_another_one_lead_at_once(processes: Processes) -> None:
    users, backend = processes.start(works_on_users=True)
    others, _ = processes.start(works_on_users=True)
    assert (users(), others()) == (True, False)
    backend.stop_leading()
    assert others()


@contextlib.contextmanager
def worker(settings: Settings, *, user_threads: int) -> Iterator[Worker]:
    with contextlib.closing(factories.open_database(settings)) as db:
        yield Worker(settings, db, threading.Event(), commit_threads=1, user_threads=user_threads)


def test_a_commit_worker_runs_neither_the_schedule_nor_the_checks_of_hooks(
    processes: Processes, tmp_path: Path
) -> None:
    settings = Settings(redis_url=processes.valkey.url, data_dir=str(tmp_path))
    with worker(settings, user_threads=0) as commits, worker(settings, user_threads=1) as both:
        for part in ("_schedule", "_hook_checks"):
            assert not getattr(commits, part)._leads()
            assert getattr(both, part)._leads()
