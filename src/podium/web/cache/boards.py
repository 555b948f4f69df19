"""Responses about boards, made once per state of a repository's row."""

from __future__ import annotations

import asyncio
import copy
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from cachetools import TTLCache
from starlette.concurrency import run_in_threadpool

from podium.bots.tools import BUILT_IN, Bots
from podium.errors import BadCommitLog, NotFound, StorageError, TooManyRequests
from podium.leaderboard.board_data import BoardData, Part, accounts_key, cache_key
from podium.leaderboard.joining.known_accounts import Accounts, load_accounts
from podium.repositories.address import host_of
from podium.repositories.model import Repository
from podium.repositories.store import transitions
from podium.storage.session import Database
from podium.storage.transactions.time_limits import QUICK
from podium.web.cache.cached_response import CachedResponse
from podium.web.cache.last_reads import LastReads
from podium.web.cache.memory import MemoryCache
from podium.web.cache.paused_checks import PausedChecks
from podium.web.cache.people_counts import PeopleCounts
from podium.web.cache.read_threads import Check, ReadThreads
from podium.web.cache.row_batcher import RowBatcher, read_row
from podium.web.cache.single_flight import SingleFlight
from podium.web.cache.waiting_client import WaitingClient
from podium.web.former_names import Renamed
from podium.web.pages.board.fresh_line import coarse_moments
from podium.web.read_budget import REFUSAL_DELAY

log = logging.getLogger(__name__)

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

    Every read raises StorageError if the database cannot be read. :meth:`get` and :meth:`read` raise BoardTooLarge if a
    board would take too much memory, and BadCommitLog if its commits are damaged; then they have it counted again.

    Args:
        max_bytes: of everything that is kept.
        max_board_bytes: of one board while it is made; 0: no limit.
        refresh_after: seconds after which a reader may have a refresh that failed tried again.
    """

    def __init__(
        self,
        db: Database,
        github_url: str,
        max_bytes: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        max_board_bytes: int = 0,
        bots: Bots = BUILT_IN,
        refresh_after: float = 0.0,
    ) -> None:
        self._bots = bots
        self._refresh_after = refresh_after
        self._clock = clock
        self._max_board_bytes = max_board_bytes
        self._keeps_answers = True
        self._db = db
        self._github_url = github_url
        self._github_host = host_of(github_url)
        # Separate, so that no client pushes boards out of the cache with windows and other parameters.
        self._variants = MemoryCache(max_bytes // 4)
        self._cache = MemoryCache(max_bytes - max_bytes // 4)
        self._rows = RowBatcher(db)
        self._last_reads = LastReads(db)
        self._people = PeopleCounts(db)
        self.paused = PausedChecks(db)
        self._threads = ReadThreads()
        self._answers: SingleFlight[CachedResponse] = SingleFlight()
        self._checks: SingleFlight[None] = SingleFlight()
        self._checked: TTLCache[int, float] = TTLCache(_MAX_CHECKED, MAX_ACCOUNT_AGE, timer=clock)

    def without_answers(self) -> BoardCache:
        """Return these boards for the administrator, whose responses may show more and are not cached here."""
        boards = copy.copy(self)
        boards._keeps_answers = False
        return boards

    async def row(self, key: str | int) -> Repository | None:
        """The repository with a key or an id.

        Raises:
            Renamed: the key is a former name.
        """
        row = await self.present_row(key)
        if row is not None and isinstance(key, str) and row.key != key:
            raise Renamed(row)
        return row

    async def present_row(self, key: str | int) -> Repository | None:
        """Like :meth:`row`, but a former name leads to the row, too."""
        row = await self._rows.read(key)
        if row is not None:
            self._last_reads.note(row.id)
        return row

    @property
    def has_rows(self) -> bool:
        """Whether boards can be served while the database is away."""
        return self._rows.has_rows

    def drop_rows(self) -> None:
        """A repository or a person was removed: while the database is away, no board that was made before is served."""
        self._rows.drop()

    async def find(
        self, row: Repository, name: AnswerName, *, live: bool = False, usual: bool = False
    ) -> CachedResponse | None:
        await self._check_accounts(row)
        found: CachedResponse | None = self._cache_of(usual and not (live and row.state.is_unfinished)).get(
            self._key(row, name, live=live)
        )
        return found

    def _cache_of(self, usual: bool) -> MemoryCache:
        return self._cache if usual else self._variants

    def _keep(self, key: tuple[object, ...], make: Callable[[], Part], *, usual: bool) -> Part:
        return self._cache_of(usual).once(key, make)

    async def get(
        self,
        row: Repository,
        name: AnswerName,
        make: Make,
        *,
        live: bool = False,
        usual: bool = False,
        reader: WaitingClient | None = None,
    ) -> CachedResponse:
        """The cached response ``name``, or a new one from ``make`` in a thread.

        Args:
            live: whether the response shows progress and when the host was asked, and so changes with them.
            usual: whether it is one of the few responses of a repository under default parameters.
            reader: the client, whose budget pays unless the response exists or is being made.

        Raises:
            TooManyRequests: the client's budget is used up, or the server has too much to do.
            ReaderGone: the client disconnected. The work ends if no other client waits for it.
        """
        if not self._keeps_answers:
            return await self.read(row, make, reader=reader)
        found = await self.find(row, name, live=live, usual=usual)
        if found is not None:
            return found

        def made(check: Check) -> CachedResponse:
            def keyed(row: Repository, data: BoardData | None) -> tuple[Repository, tuple[object, ...], CachedResponse]:
                return row, self._key(row, name, live=live), make(row, data)

            current, before, answer = self._read_now(row.id, keyed, check)
            # Each step of the progress makes another response.
            cache = self._cache_of(usual and not (live and current.state.is_unfinished))
            # Unless checks were paused or resumed meanwhile: the response may say either.
            if before == self._key(current, name, live=live):
                cache.put(before, answer)
            return answer

        key = self._key(row, name, live=live)
        flight = self._answers.find(key)
        if flight is None:
            ended = await self._admit(reader)
            flight = self._answers.start(key, lambda: self._threads.submit(made, ended))
        with self._answers.waiting(key, flight):
            return await _result(flight, reader)

    async def read(
        self, row: Repository, make: Callable[[Repository, BoardData | None], T], *, reader: WaitingClient | None = None
    ) -> T:
        """The result of ``make`` in a thread, not cached: for responses that are rarely requested again.

        Raises:
            TooManyRequests, ReaderGone: as for :meth:`get`.
        """
        await self._check_accounts(row)
        ended = await self._admit(reader)
        future = self._threads.submit(lambda check: self._read_now(row.id, make, check), ended)
        try:
            return await _result(future, reader)
        finally:
            future.cancel()

    async def _admit(self, reader: WaitingClient | None) -> Callable[[float], None]:
        """Return the function to call with the cost. Between both, nothing may await."""
        try:
            self._threads.check_room()
            if reader is None:
                return lambda _: None
            reader.start()
        except TooManyRequests:
            await asyncio.sleep(REFUSAL_DELAY)
            raise
        return reader.end

    def _read_now(self, repository_id: int, make: Callable[[Repository, BoardData | None], T], check: Check) -> T:
        # Read the row again, so that all data comes from one transaction.
        with self._db.read() as session:
            row = read_row(session, repository_id)
            if row is None:
                raise NotFound("The repository was deleted meanwhile: submit it again.")
            if not row.has_board:
                return make(row, None)
            data = BoardData(session, row, self._github_url, self._keep, check, bots=self._bots)
            if self._max_board_bytes:
                data.check_size(self._max_board_bytes)
            try:
                made = make(row, data)
            except BadCommitLog as error:
                log.error("repository %d must be counted again: %s", row.id, error.message)  # noqa: TRY400 - no bug here
                damaged = row
            else:
                self._people.note(row, data.usual_people)
                return made
        # A write transaction may not begin within a read.
        if damaged.counting_version:
            with self._db.write() as session:
                transitions.void_count(session, damaged.id, damaged.count_id)
        raise BadCommitLog("The stored commits of this repository are damaged. Podium counts them again: try later.")

    def _key(self, row: Repository, name: AnswerName, *, live: bool) -> tuple[object, ...]:
        if live and row.state.is_unfinished:
            shown: object = row.updated_at
        else:
            shown = (*coarse_moments(row, refresh_after=self._refresh_after), row in self.paused) if live else None
        return (*name, shown, cache_key(row))

    async def _check_accounts(self, row: Repository) -> None:
        repository_id = row.id
        checked = self._checked.get(repository_id)
        if checked is not None and self._clock() - checked < ACCOUNT_CHECK_INTERVAL:
            return
        check = self._checks.start(repository_id, lambda: run_in_threadpool(self._compare_accounts, row))
        self._checked[repository_id] = self._clock()
        if checked is None:
            # Not for ever: boards are served while a database hangs.
            await asyncio.wait({check}, timeout=QUICK.total)

    def _compare_accounts(self, row: Repository) -> None:
        kept: Accounts | None = self._cache.get(accounts_key(row))
        if kept is None:
            return
        try:
            with self._db.read() as session:
                now = load_accounts(session, row.id, self._github_host, self._bots)
        except StorageError:
            # The row says how old the board is.
            return
        if now != kept:
            for cache in (self._cache, self._variants):
                cache.drop(lambda key: _is_of(key, row.id))


async def _result(future: asyncio.Future[T], reader: WaitingClient | None) -> T:
    return await (asyncio.shield(future) if reader is None else reader.result(future))


def _is_of(key: tuple[object, ...], repository_id: int) -> bool:
    # Every key contains a tuple that begins with the repository's id.
    return any(isinstance(part, tuple) and bool(part) and part[0] == repository_id for part in key)
