"""The progress of a count, saved in the database at most twice a second."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from podium.git.progress import Progress
from podium.jobs import lease
from podium.jobs.rate import RateEstimator
from podium.repositories.model import Repository
from podium.storage.session import Database

SAVE_EVERY = 0.5


class CountProgress:
    def __init__(
        self,
        db: Database,
        repository: Repository,
        also: Progress | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._repository = repository
        self._also = also
        self._clock = clock
        self._next = 0.0
        self._phase = ""
        self._arrived: int | None = None
        self._commits, self._phases = RateEstimator(), RateEstimator()

    def __call__(self, phase: str, number: int, total: int | None = None, /) -> None:
        if self._also is not None:
            self._also(phase, number, total)
        if phase == "arrived":
            self._arrived = number
            return
        now = self._clock()
        if now < self._next and phase == self._phase:
            return
        self._next, self._phase = now + SAVE_EVERY, phase
        lease.save_progress(self._db, self._repository, json.dumps(self._as_json(phase, number, total, now)))

    def _as_json(self, phase: str, number: int, total: int | None, now: float) -> dict[str, Any]:
        progress: dict[str, Any] = {"stage": "commits", "phase": phase}
        if phase in ("counting", "saving"):
            progress["commits"] = number
        else:
            progress["percent"] = number
            if self._arrived is not None:
                progress["commits"] = self._arrived
        if total is not None:
            progress["total"] = max(total, number)
        if "commits" in progress:
            self._commits.note(now, {"stage": "commits", "commits": progress["commits"]})
        self._phases.note(now, progress)
        rate = self._commits.rate()
        left = self._phases.seconds_left(progress, self._repository.total_commits)
        if rate is not None and phase != "saving":
            progress["commitsPerSecond"] = round(rate)
        if left is not None:
            progress["secondsLeft"] = round(left)
        return progress
