"""How far a repository is, as the page and the events tell it."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from podium.jobs.rate import RateEstimator
from podium.jobs.rate_cache import RateEstimators
from podium.leaderboard.board_data import cache_key
from podium.repositories.listing import describe
from podium.storage.session import Row
from podium.web.cache.boards import has_board
from podium.web.live.events import event_of
from podium.web.pages.board_urls import page_path
from podium.web.pages.rendering import Renderer

# Seconds between two looks of one page at the rows of a board whose accounts are coming in; with many pages each
# waits longer, so that all of them together ask about as often as a hundred.
_ROWS_EVERY = 2
_PAGES_AT_ONCE = 100


class StatusView:
    """What templates and events say of repositories' states."""

    def __init__(self, renderer: Renderer, github_host: str) -> None:
        self._renderer = renderer
        self._github_host = github_host
        self._rates = RateEstimators()

    def described(self, row: Row) -> dict[str, Any]:
        """A repository as the API tells of it, with its title and its page."""
        name = f"{row['owner']}/{row['name']}" if row["owner"] else row["name"]
        elsewhere = row["host"] != self._github_host
        return {
            **describe(row),
            "title": f"{row['host']}/{name}" if elsewhere else name,
            "path": page_path(row, self._github_host),
        }

    def values(self, row: Row, *, may_administer: bool = False) -> dict[str, Any]:
        """What ``_status.html`` needs."""
        repository = self.described(row)
        progress = repository["progress"]
        seen = self._rates.note(row["id"], time.monotonic(), progress) if is_in_work(row) else RateEstimator()
        return {
            "repository": repository,
            "in_work": is_in_work(row),
            "refreshing": is_in_work(row) and has_board(row),
            # The worker's own estimate is better than the one made here.
            "rate": (progress or {}).get("commitsPerSecond") or seen.rate(),
            "seconds_left": (progress or {}).get("secondsLeft") or seen.seconds_left(progress, row["total_commits"]),
            "edition": board_edition(row),
            "may_retry": row["state"] == "failed" and may_administer,
        }

    def tell(self, row: Row, watchers: int) -> tuple[bytes, bool]:
        """The event that tells everybody who watches ``row``, and whether it is the last."""
        in_work = is_in_work(row)
        data = {
            "html": self._renderer.text("_status.html", **self.values(row)),
            "edition": board_edition(row),
            "inWork": in_work,
            "rowsEvery": max(_ROWS_EVERY, watchers * _ROWS_EVERY // _PAGES_AT_ONCE),
        }
        return event_of(data), not in_work


def is_in_work(row: Row) -> bool:
    """Whether a worker has the repository, or will have it."""
    return row["state"] not in ("completed", "failed")


def board_edition(row: Row) -> str:
    """A word that changes when the board does; empty while there is none and it has not failed."""
    if not has_board(row):
        return "failed" if row["state"] == "failed" else ""
    return hashlib.sha256(repr(cache_key(row)).encode("utf-8", "replace")).hexdigest()[:16]
