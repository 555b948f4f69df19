"""A repository's state on pages and in events."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from podium.jobs.rate import RateEstimator
from podium.jobs.rate_cache import RateEstimators
from podium.leaderboard.board_data import cache_key
from podium.repositories.listing import describe
from podium.repositories.model import Repository, State
from podium.web.cache.boards import has_board
from podium.web.live.events import event_of
from podium.web.pages.board_urls import page_url
from podium.web.pages.rendering import Renderer

# Seconds between a page's requests for rows; longer above _PAGES_AT_ONCE pages, so that the rate of requests stays the
# same.
_ROWS_EVERY = 2
_PAGES_AT_ONCE = 100


class StatusView:
    def __init__(self, renderer: Renderer, github_host: str) -> None:
        self._renderer = renderer
        self._github_host = github_host
        self._rates = RateEstimators()

    def described(self, row: Repository) -> dict[str, Any]:
        """A repository as in the API, with title and path."""
        name = (f"{row.owner}/{row.name}" if row.owner else row.name) + (f" at {row.revision}" if row.revision else "")
        elsewhere = row.host != self._github_host
        return {
            **describe(row),
            "title": f"{row.host}/{name}" if elsewhere else name,
            "path": page_url(row, self._github_host),
        }

    def values(self, row: Repository) -> dict[str, Any]:
        repository = self.described(row)
        progress = repository["progress"]
        seen = self._rates.note(row.id, time.monotonic(), progress) if is_in_work(row) else RateEstimator()
        return {
            "repository": repository,
            "in_work": is_in_work(row),
            "refreshing": is_in_work(row) and has_board(row),
            # The worker's estimate is better.
            "rate": (progress or {}).get("commitsPerSecond") or seen.rate(),
            "seconds_left": (progress or {}).get("secondsLeft") or seen.seconds_left(progress, row.total_commits),
            "version_of_board": board_version(row),
        }

    def event(self, row: Repository, subscribers: int) -> tuple[bytes, bool]:
        """The event, and whether it is the last."""
        in_work = is_in_work(row)
        data = {
            "html": self._renderer.text("_status.html", **self.values(row)),
            "version": board_version(row),
            "inWork": in_work,
            "rowsEvery": max(_ROWS_EVERY, subscribers * _ROWS_EVERY // _PAGES_AT_ONCE),
        }
        return event_of(data), not in_work


def is_in_work(row: Repository) -> bool:
    return row.state.is_unfinished


def board_version(row: Repository) -> str:
    """A value that changes with the board; "failed" or empty without one."""
    if not has_board(row):
        return "failed" if row.state == State.FAILED else ""
    return hashlib.sha256(repr(cache_key(row)).encode("utf-8", "replace")).hexdigest()[:16]
