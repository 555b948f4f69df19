"""Answers about boards: made once for each state of a repository's row, and kept for the API and the page."""

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

# Accounts are compared with the database in the background after this many seconds; a request waits for it when the
# last comparison is older than MAX_ACCOUNT_AGE.
ACCOUNT_CHECK_INTERVAL = 15.0
MAX_ACCOUNT_AGE = 60.0
# Repositories whose last comparison is remembered.
_MAX_CHECKED = 10_000

# The name of an answer, and everything it depends on besides the repository's row.
AnswerName = tuple[object, ...]
# Makes an answer from a row and its board data, which is None while no commits have been counted.
Make = Callable[[Repository, BoardData | None], CachedResponse]


class BoardCache:
    """The boards of one server. Its coroutines belong to one event loop at a time."""

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
        """The current row of the repository with that key or id; None if it was never submitted.

        Raises:
            StorageError: the database cannot be read.
        """
        return await self._rows.read(key)

    async def find(self, row: Repository, name: AnswerName, *, live: bool = False) -> CachedResponse | None:
        """The answer if it is ready: see :meth:`get`."""
        await self._check_accounts(row)
        found: CachedResponse | None = self._cache.get(_key(row, name, live=live))
        return found

    async def get(self, row: Repository, name: AnswerName, make: Make, *, live: bool = False) -> CachedResponse:
        """The answer ``name`` about the repository of ``row``: a kept one, or one that ``make`` makes in a thread.

        Args:
            live: whether the answer also shows progress, so that each update of the progress makes a new one.

        Raises:
            StorageError: the database cannot be read.
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
        """What ``make`` makes from a repository, without keeping it: for answers that are rarely asked for again.

        Raises:
            StorageError: the database cannot be read.
        """
        await self._check_accounts(row)
        return await run_in_threadpool(self.read_now, row.id, make)

    def read_now(self, repository_id: int, make: Callable[[Repository, BoardData | None], T]) -> T:
        """What ``make`` makes from a repository, in the calling thread.

        Raises:
            NotFound: the repository was deleted meanwhile.
            StorageError: the database cannot be read.
        """
        # The row is read again so that it and everything made from it come from one transaction.
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
    """Whether the commits of a repository have been counted, now or before."""
    return row.commits_processed_at is not None and row.head is not None


def _key(row: Repository, name: AnswerName, *, live: bool) -> tuple[object, ...]:
    in_work = live and row.state.is_unfinished
    return (*name, row.updated_at if in_work else None, cache_key(row))


def _is_of(key: tuple[object, ...], repository_id: int) -> bool:
    # The keys of parts and answers contain the cache key of the row or of the count; both begin with the id.
    return any(isinstance(part, tuple) and bool(part) and part[0] == repository_id for part in key)
