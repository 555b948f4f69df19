"""The progress of a count, saved in the database at most twice a second, and not at all while it has just begun."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from podium.counting.live_ranking import LiveRanking
from podium.git.progress import Progress
from podium.history.totals import Tally
from podium.jobs import lease
from podium.jobs.rate import RateEstimator
from podium.jobs.remaining_time import RemainingTime
from podium.repositories.model import Repository
from podium.repositories.overall_percent import NAME, CountPercent, saved_percent
from podium.storage.session import Database

SAVE_EVERY = 0.5
# Seconds. A small repository is counted within it, and each phase would be a transaction.
QUIET = 0.25
# Seconds after which git is not expected to say more.
_GIT_IS_SILENT = 1.0


class CountProgress:
    """Saves the progress of a count in the repository's row, and passes it on.

    Args:
        check: called with each progress; may raise.
        ranking: of the people so far; None: there is none.
        look_up: whether a look-up of accounts follows.
        quiet: seconds from now on in which nothing is saved.
    """

    def __init__(
        self,
        db: Database,
        repository: Repository,
        also: Progress | None,
        clock: Callable[[], float] = time.monotonic,
        *,
        check: Callable[[], None] = lambda: None,
        ranking: LiveRanking | None = None,
        look_up: bool = True,
        quiet: float = 0.0,
    ) -> None:
        self._db = db
        self._repository = repository
        self._also = also
        self._clock = clock
        self._check = check
        self._ranking = ranking
        self._next = 0.0
        self._speaks_from = clock() + quiet
        self._last: tuple[str, int, int | None] = ("receiving", 0, None)
        self._arrived: int | None = None
        self._objects: int | None = None
        self._of_git = 0.0
        self._commits, self._left = RateEstimator(), RemainingTime()
        self._overall = CountPercent(saved_percent(repository.progress), look_up=look_up)

    def note_tally(self, tally: Tally) -> None:
        """Note the totals so far."""
        if self._ranking is not None:
            self._ranking.note(tally)

    def note_saved(self, share: float) -> None:
        """Note the share of the count that is saved, 0 to 1."""
        self._overall.note("saving", share)
        self._save(*self._last)

    def __call__(self, phase: str, number: int, total: int | None = None, /) -> None:
        self._check()
        if self._also is not None:
            self._also(phase, number, total)
        if phase == "arrived":
            self._arrived, self._objects = number or self._arrived, total
            self._overall.note_counted(number / total if total else 0.0)
            # git speaks about once a second, and no more while the last commits that it received are counted.
            if self._clock() - self._of_git <= _GIT_IS_SILENT:
                return
            phase, number, total = self._while_arriving(number)
        else:
            self._of_git = self._clock()
            self._overall.note(phase, self._share(phase, number, total))
        self._save(phase, number, total)

    def _save(self, phase: str, number: int, total: int | None) -> None:
        now = self._clock()
        if now < self._speaks_from or (now < self._next and phase == self._last[0]):
            self._last = (phase, number, total)
            return
        self._next, self._last = now + SAVE_EVERY, (phase, number, total)
        lease.save_progress(self._db, self._repository, json.dumps(self._as_json(phase, number, total, now)))

    def _while_arriving(self, commits: int) -> tuple[str, int, int | None]:
        phase, percent, _ = self._last
        is_received = phase == "counting" or percent == 100
        return ("counting", commits, None) if is_received else self._last

    def _share(self, phase: str, number: int, total: int | None) -> float:
        if phase == "saving":
            return 0.0
        if phase == "counting":
            expected = max(total or self._repository.total_commits or self._objects or 0, self._arrived or 0)
            return number / expected if expected else 0.0
        return number / 100

    def _as_json(self, phase: str, number: int, total: int | None, now: float) -> dict[str, Any]:
        progress: dict[str, Any] = {"stage": "commits", "phase": phase, NAME: self._overall.percent}
        if phase in ("counting", "saving"):
            progress["commits"] = number
        else:
            progress["percent"] = number
            if self._arrived is not None:
                progress["commits"] = self._arrived
        if total is not None:
            progress["total"] = max(total, number)
        if "commits" in progress:
            self._commits.note(now, progress["commits"])
        self._left.note(now, self._overall.share)
        rate, left = self._commits.rate(), self._left.seconds(now)
        if rate is not None and phase != "saving":
            progress["commitsPerSecond"] = round(rate)
        if left is not None:
            progress["secondsLeft"] = round(left)
        if self._ranking is not None and self._ranking.people:
            progress["leaders"] = self._ranking.people
        return progress
