"""Boards as ready-made answers: made once for each edition of a repository's row, and the same for API and page.

An edition (:func:`podium.leaderboard.board_data.cache_key`) is what the row holds. An account that is found for another
repository may join rows here too: accounts are compared with the database every ``LOOK_AGAIN`` seconds while a board is
being read.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from podium.errors import NotFound
from podium.leaderboard.board_data import BoardData, accounts_key, cache_key
from podium.leaderboard.grouping import Accounts, load_accounts
from podium.repositories.address import host_of
from podium.storage.session import Database, Row
from podium.web.cache.cached_response import Body
from podium.web.cache.memory import Cache
from podium.web.cache.row_batcher import RowReader, read_row

T = TypeVar("T")

# Seconds for which whose e-mail is whose is believed, and from which a board that nobody read meanwhile waits for it.
LOOK_AGAIN = 15.0
TOO_OLD = 60.0

# Makes an answer of a row and its board data; the data is None while no commits have been counted.
Make = Callable[[Row, BoardData | None], Body]


class Boards:
    """The boards of one server. Its coroutines belong to one event loop at a time."""

    def __init__(self, db: Database, github_url: str, cache: Cache) -> None:
        self._db = db
        self._github_url = github_url
        self._github_host = host_of(github_url)
        self._cache = cache
        self._rows = RowReader(db)
        self._making: dict[tuple[object, ...], asyncio.Task[Body]] = {}
        self._looked: dict[int, float] = {}
        self._looking: dict[int, asyncio.Task[None]] = {}

    async def row(self, key: str | int) -> Row | None:
        """The row of the repository with that identity or number as it is now; None where it was never submitted.

        Raises:
            StorageError: the database cannot be read.
        """
        return await self._rows.read(key)

    async def find(self, row: Row, what: tuple[object, ...], *, live: bool = False) -> Body | None:
        """The ready-made answer, if there is one: see :meth:`get`."""
        await self._look_again(row)
        body: Body | None = self._cache.get(_key(row, what, live=live))
        return body

    async def get(self, row: Row, what: tuple[object, ...], make: Make, *, live: bool = False) -> Body:
        """The answer ``what`` of the repository of ``row``: a ready-made one, or what ``make`` makes in a thread.

        Args:
            what: the answer's name and everything it depends on besides the repository's edition.
            live: whether it shows how far the work is, too, and so is another with each note of progress.

        Raises:
            StorageError: the database cannot be read.
        """
        found = await self.find(row, what, live=live)
        if found is not None:
            return found
        key = _key(row, what, live=live)
        loop = asyncio.get_running_loop()
        task = self._making.get(key)
        if task is None or task.get_loop() is not loop:
            task = self._making[key] = loop.create_task(self._make(row["id"], what, make, live=live))
            task.add_done_callback(lambda done: _forget(self._making, key, done))
        # Shielded: one who leaves must not take the answer from the others.
        return await asyncio.shield(task)

    async def _make(self, number: int, what: tuple[object, ...], make: Make, *, live: bool) -> Body:
        def made() -> Body:
            row, body = self.read_now(number, lambda row, data: (row, make(row, data)))
            self._cache.put(_key(row, what, live=live), body)
            return body

        return await run_in_threadpool(made)

    async def read(self, row: Row, make: Callable[[Row, BoardData | None], T]) -> T:
        """What ``make`` makes of a repository, not kept: an answer that hardly anyone asks for again.

        Raises:
            StorageError: the database cannot be read.
        """
        await self._look_again(row)
        return await run_in_threadpool(self.read_now, row["id"], make)

    def read_now(self, number: int, make: Callable[[Row, BoardData | None], T]) -> T:
        """What ``make`` makes of repository ``number``, in the thread that calls.

        Raises:
            NotFound: it was deleted meanwhile.
            StorageError: the database cannot be read.
        """
        # The row is read again, so that it and what is made of it are of one moment.
        with self._db.read() as session:
            row = read_row(session, number)
            if row is None:
                raise NotFound("The repository was deleted meanwhile: submit it again.")
            return make(row, BoardData(session, row, self._github_url, self._cache.once) if has_board(row) else None)

    async def _look_again(self, row: Row) -> None:
        number = row["id"]
        age = time.monotonic() - self._looked.get(number, 0.0)
        if age < LOOK_AGAIN:
            return
        loop = asyncio.get_running_loop()
        task = self._looking.get(number)
        if task is None or task.done() or task.get_loop() is not loop:
            if len(self._looked) > 10_000:
                self._looked.clear()
            task = self._looking[number] = loop.create_task(run_in_threadpool(self._compare, row))
            task.add_done_callback(lambda done: _forget(self._looking, number, done))
        if age > TOO_OLD:
            await asyncio.shield(task)

    def _compare(self, row: Row) -> None:
        self._looked[row["id"]] = time.monotonic()
        kept: Accounts | None = self._cache.get(accounts_key(row))
        if kept is None:
            return
        with self._db.read() as session:
            now = load_accounts(session, row["id"], self._github_host)
        if now != kept:
            self._cache.drop(lambda key: _is_of(key, row["id"]))


def has_board(row: Row) -> bool:
    """Whether the commits of a repository have been counted, now or before."""
    return row["commits_processed_at"] is not None and row["head"] is not None


def _forget(tasks: dict[Any, asyncio.Task[Any]], key: object, done: asyncio.Task[Any]) -> None:
    if tasks.get(key) is done:
        del tasks[key]
    if not done.cancelled():
        # Where all who waited have left, nobody is there to hear of what went wrong.
        done.exception()


def _key(row: Row, what: tuple[object, ...], *, live: bool) -> tuple[object, ...]:
    in_work = live and row["state"] not in ("completed", "failed")
    return (*what, row["updated_at"] if in_work else None, cache_key(row))


def _is_of(key: tuple[object, ...], repository_id: int) -> bool:
    # Parts and answers alike carry their edition, which begins with the number of the repository.
    return any(isinstance(part, tuple) and bool(part) and part[0] == repository_id for part in key)


def json_body(document: Any) -> Body:
    """A document as JSON."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Body.of(text.encode("utf-8"), "application/json")
