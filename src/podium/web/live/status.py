"""A repository's state on pages and in events."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping
from typing import Any

from cachetools import LRUCache

from podium.jobs.remaining_time import RemainingTime
from podium.leaderboard.board_data import count_key
from podium.repositories.listing import describe
from podium.repositories.model import Repository, State
from podium.repositories.queue_places import QueuePlace, QueuePlaces
from podium.web.cache.paused_checks import PausedChecks
from podium.web.live.events import event_of
from podium.web.live.follow import Pauses
from podium.web.pages.board.board_urls import page_url
from podium.web.pages.board.fresh_line import FreshLine
from podium.web.pages.rendering import Renderer

# Seconds between a page's requests for rows; longer above _PAGES_AT_ONCE pages, so that the rate of requests stays the
# same.
_ROWS_EVERY = 2
_PAGES_AT_ONCE = 100
_STEPS = ("Waiting", "Receiving", "Counting", "Saving", "Finding accounts")
_STEP_OF_STATE = {State.PENDING: 0, State.USERS_PROCESSING: 4}
_STEP_OF_PHASE = {"counting": 2, "saving": 3}
# Repositories whose look-ups were shown last.
_MOST_ESTIMATES = 1_000


class StatusView:
    """Describes a repository's state for pages, events and open boards.

    Args:
        queue: asked for the places of waiting repositories.
        refresh_after: seconds after which a refresh may be tried again.
        takes_pushes: this server receives webhooks.
    """

    def __init__(
        self,
        renderer: Renderer,
        github_host: str,
        queue: QueuePlaces,
        paused: PausedChecks,
        *,
        refresh_after: float = 0.0,
        takes_pushes: bool = False,
    ) -> None:
        self._renderer = renderer
        self._github_host = github_host
        self._queue = queue
        self._paused = paused
        self._refresh_after = refresh_after
        self._takes_pushes = takes_pushes
        self._pauses = Pauses(takes_pushes=takes_pushes)
        self._look_ups = _LookUpTimes()

    def described(self, row: Repository, place: QueuePlace | None = None) -> dict[str, Any]:
        """A repository as in the API, with title and path."""
        name = (f"{row.owner}/{row.name}" if row.owner else row.name) + (f" at {row.revision}" if row.revision else "")
        elsewhere = row.host != self._github_host
        return {
            **describe(row, place),
            "title": f"{row.host}/{name}" if elsewhere else name,
            "path": page_url(row, self._github_host),
        }

    def values(self, row: Repository, place: QueuePlace | None = None) -> dict[str, Any]:
        """For the templates. ``place``: in the queue, if it is known."""
        repository = self.described(row, place)
        progress = repository["progress"] or {}
        return {
            "repository": repository,
            "in_work": row.state.is_unfinished,
            "refreshing": row.state.is_unfinished and row.has_board,
            "has_board": row.has_board,
            "shown_state": row.shown_state,
            "tries_again": row.waiting_code is not None,
            "leaders": [] if row.has_board else progress.get("leaders", []),
            "rate": progress.get("commitsPerSecond"),
            "steps": _steps(row.state, progress.get("phase")),
            "makes_way": row.state == State.PENDING and row.is_slow,
            "seconds_left": progress.get("secondsLeft") or self._look_ups.seconds_left(row.id, progress),
            "version_of_board": board_version(row),
            "follow_every": self._pauses.idle,
            "fresh": FreshLine.of(
                row,
                is_paused=row in self._paused,
                takes_pushes=self._takes_pushes,
                refresh_after=self._refresh_after,
            ),
        }

    def followed(self, row: Repository) -> dict[str, Any]:
        """What an open page of a board asks for again and again (:mod:`podium.web.live.follow`)."""
        values = self.values(row)
        return {
            "html": self._renderer.text("board/_fresh.html", **values) if row.has_board else "",
            "version": values["version_of_board"],
            "inWork": values["in_work"],
            "path": values["repository"]["path"],
            "every": self._pauses.after(row),
        }

    def event(self, row: Repository, subscribers: int) -> tuple[bytes, bool]:
        """The event, and whether it is the last.

        Raises:
            StorageError: the place in the queue cannot be read.
        """
        in_work = row.state.is_unfinished
        data = {
            "html": self._renderer.text("_status.html", **self.values(row, self._queue.of(row))),
            "version": board_version(row),
            "inWork": in_work,
            "rowsEvery": max(_ROWS_EVERY, subscribers * _ROWS_EVERY // _PAGES_AT_ONCE),
        }
        return event_of(data), not in_work


class _LookUpTimes:
    """The time that look-ups of accounts need: several workers share them, so only their progress shows it."""

    def __init__(self) -> None:
        self._of: LRUCache[int, RemainingTime] = LRUCache(_MOST_ESTIMATES)
        self._lock = threading.Lock()

    def seconds_left(self, repository_id: int, progress: Mapping[str, Any]) -> float | None:
        total = progress.get("total")
        if progress.get("stage") != "users" or not total or progress.get("waitingUntil"):
            return None
        now = time.monotonic()
        with self._lock:
            remaining = self._of.setdefault(repository_id, RemainingTime())
            remaining.note(now, progress.get("done", 0) / total)
            return remaining.seconds(now)


def _steps(state: State, phase: str | None) -> list[tuple[str, str]]:
    """The phases of the work: their names, and where it is: "done", "now" or ""."""
    place = _STEP_OF_STATE.get(state)
    if place is None:
        place = _STEP_OF_PHASE.get(phase or "", 1)
    return [(name, "done" if each < place else "now" if each == place else "") for each, name in enumerate(_STEPS)]


def board_version(row: Repository) -> str:
    """A value that changes with the figures of the board; "failed" or empty without one."""
    if not row.has_board:
        return "failed" if row.state == State.FAILED else ""
    return hashlib.sha256(repr(count_key(row)).encode("utf-8", "replace")).hexdigest()[:16]
