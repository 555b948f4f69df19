"""Responses about boards, made once per state of a repository's row."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from cachetools import TTLCache
from starlette.concurrency import run_in_threadpool

from podium.errors import NotFound
from podium.leaderboard.board_data import BoardData, accounts_key, cache_key
from podium.leaderboard.grouping import Accounts, load_accounts
from podium.repositories.address import host_of
from podium.repositories.model import Repository
from podium.storage.session import Database
from podium.web.cache.cached_response import CachedResponse
from podium.web.cache.memory import MemoryCache
from podium.web.cache.row_batcher import RowBatcher, read_row
from podium.web.cache.single_flight import SingleFlight

T = TypeVar("T")

# Seconds until accounts are compared with the database in the background, and until a request waits for it.
ACCOUNT_CHECK_INTERVAL = 15.0
MAX_ACCOUNT_AGE = 60.0
_MAX_CHECKED = 10_000

# Everything that a response depends on except the row.
AnswerName = tuple[object, ...]
# The board data is None before the first count.
Make = Callable[[Repository, BoardData | None], CachedResponse]


class BoardCache:
    """The boards of one server. Its coroutines belong to one event loop at a time.

    Every read raises StorageError if the database cannot be read.
    """

    def __init__(
        self, db: Database, github_url: str, cache: MemoryCache, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._db = db
        self._github_url = github_url
        self._github_host = host_of(github_url)
        self._cache = cache
        self._rows = RowBatcher(db)
        self._answers: SingleFlight[CachedResponse] = SingleFlight()
        self._checks: SingleFlight[None] = SingleFlight()
        self._checked: TTLCache[int, float] = TTLCache(_MAX_CHECKED, MAX_ACCOUNT_AGE, timer=clock)

    async def row(self, key: str | int) -> Repository | None:
        return await self._rows.read(key)

    async def find(self, row: Repository, name: AnswerName, *, live: bool = False) -> CachedResponse | None:
        await self._check_accounts(row)
        found: CachedResponse | None = self._cache.get(_key(row, name, live=live))
        return found

    async def get(self, row: Repository, name: AnswerName, make: Make, *, live: bool = False) -> CachedResponse:
        """The cached response ``name``, or a new one from ``make`` in a thread.

        Args:
            live: whether the response shows progress, and so changes with it.
        """
        found = await self.find(row, name, live=live)
        if found is not None:
            return found

        def made() -> CachedResponse:
            current, answer = self.read_now(row.id, lambda row, data: (row, make(row, data)))
            self._cache.put(_key(current, name, live=live), answer)
            return answer

        return await self._answers.run(_key(row, name, live=live), lambda: run_in_threadpool(made))

    async def read(self, row: Repository, make: Callable[[Repository, BoardData | None], T]) -> T:
        """The result of ``make`` in a thread, not cached: for responses that are rarely requested again."""
        await self._check_accounts(row)
        return await run_in_threadpool(self.read_now, row.id, make)

    def read_now(self, repository_id: int, make: Callable[[Repository, BoardData | None], T]) -> T:
        """The result of ``make``, in the calling thread.

        Raises:
            NotFound: the repository was deleted meanwhile.
        """
        # Read the row again, so that all data comes from one transaction.
        with self._db.read() as session:
            row = read_row(session, repository_id)
            if row is None:
                raise NotFound("The repository was deleted meanwhile: submit it again.")
            data = BoardData(session, row, self._github_url, self._cache.once) if has_board(row) else None
            return make(row, data)

    async def _check_accounts(self, row: Repository) -> None:
        repository_id = row.id
        checked = self._checked.get(repository_id)
        if checked is not None and self._clock() - checked < ACCOUNT_CHECK_INTERVAL:
            return
        check = self._checks.start(repository_id, lambda: run_in_threadpool(self._compare_accounts, row))
        self._checked[repository_id] = self._clock()
        if checked is None:
            await asyncio.shield(check)

    def _compare_accounts(self, row: Repository) -> None:
        kept: Accounts | None = self._cache.get(accounts_key(row))
        if kept is None:
            return
        with self._db.read() as session:
            now = load_accounts(session, row.id, self._github_host)
        if now != kept:
            self._cache.drop(lambda key: _is_of(key, row.id))


def has_board(row: Repository) -> bool:
    return row.commits_processed_at is not None and row.head is not None


def _key(row: Repository, name: AnswerName, *, live: bool) -> tuple[object, ...]:
    in_work = live and row.state.is_unfinished
    return (*name, row.updated_at if in_work else None, cache_key(row))


def _is_of(key: tuple[object, ...], repository_id: int) -> bool:
    # Every key contains a tuple that begins with the repository's id.
    return any(isinstance(part, tuple) and bool(part) and part[0] == repository_id for part in key)
