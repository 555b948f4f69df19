"""Finished boards as cards on the home page, and the number of people of boards in lists."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from markupsafe import Markup

from podium.errors import PodiumError, ReaderGone
from podium.leaderboard.board import read_board
from podium.leaderboard.board_data import BoardData, Ranked
from podium.leaderboard.rules import Rules
from podium.repositories.model import Repository, State
from podium.web.cache.boards import BoardCache
from podium.web.cache.cached_response import CachedResponse
from podium.web.live.status import StatusView
from podium.web.pages.rendering import Renderer

CARDS = 3
_FACES = 3
# Parts of a curve, and its height.
_PARTS = 48
_HEIGHT = 40
# Seconds that a page waits for cards which are not ready-made. Those that take longer are there for the next reader.
_PATIENCE = 0.5
# Boards made at a time because a list has no number of their people.
_AT_ONCE = 2


class BoardCards:
    """The cards of one server. Its coroutines belong to one event loop at a time."""

    def __init__(self, renderer: Renderer, status: StatusView) -> None:
        self._renderer = renderer
        self._status = status
        self._counting: dict[int, asyncio.Task[None]] = {}

    async def cards(self, boards: BoardCache, rows: Sequence[Repository]) -> list[Markup]:
        """The cards of those boards that can be had soon. One is made at a time, so that others are answered too."""
        ends, found = time.monotonic() + _PATIENCE, []
        for row in rows:
            task = asyncio.ensure_future(boards.get(row, ("home-card",), self._make, usual=True))
            # Not cancelled after that: the card is kept for the next reader.
            await asyncio.wait([task], timeout=max(0.0, ends - time.monotonic()))
            if task.done() and not _failed(task):
                found.append(Markup(task.result().plain.decode()))  # noqa: S704 - it is our template's
        return found

    def _make(self, row: Repository, data: BoardData | None) -> CachedResponse:
        values = self._status.described(row)
        return self._renderer.body("_card.html", repository=values, **_card_values(data))

    def count_people(self, boards: BoardCache, rows: Sequence[Repository]) -> None:
        """Make a few of the boards whose number of people is not known, which notes it for the next reader."""
        for row in rows:
            is_unknown = row.state == State.COMPLETED and row.people is None and row.has_board
            if is_unknown and row.id not in self._counting and len(self._counting) < _AT_ONCE:
                task = asyncio.ensure_future(_count_people(boards, row))
                self._counting[row.id] = task
                task.add_done_callback(partial(self._counted, row.id))

    def _counted(self, number: int, _: asyncio.Task[None]) -> None:
        del self._counting[number]


async def _count_people(boards: BoardCache, row: Repository) -> None:
    try:
        await boards.read(row, lambda _, data: data.under(Rules()).ranking.total if data else 0)
    except (PodiumError, ReaderGone):
        return


def _failed(task: asyncio.Task[CachedResponse]) -> bool:
    error = task.exception()
    if error is not None and not isinstance(error, PodiumError | ReaderGone):
        raise error
    return error is not None


def _card_values(data: BoardData | None) -> dict[str, Any]:
    if data is None:
        return {"people": None, "top": [], "curve": ""}
    ranked = data.under(Rules())
    board = read_board(ranked, limit=_FACES, offset=0, show_emails=False)
    return {"people": board["total"], "top": board["top_contributors"], "curve": _curve(ranked)}


def _curve(ranked: Ranked) -> str:
    """All commits over time, as the outline of :data:`_PARTS` bars."""
    line = ranked.timeline
    if line.ends is None:
        return ""
    first, last = line.ends
    parts, days = [0] * _PARTS, last - first + 1
    for day, human, bot, ai in zip(line.days, line.human, line.bot, line.ai, strict=True):
        if first <= day <= last:
            parts[(day - first) * _PARTS // days] += human + bot + ai
    peak = max(*parts, 1)
    steps = (f"V{_HEIGHT - _HEIGHT * part / peak:.1f}H{place}" for place, part in enumerate(parts, 1))
    return f"M0 {_HEIGHT}{''.join(steps)}V{_HEIGHT}Z"
