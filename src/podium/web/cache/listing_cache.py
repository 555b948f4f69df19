"""Pages of the list of repositories, made once for all concurrent requests and used again for a moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable

from cachetools import LRUCache
from starlette.concurrency import run_in_threadpool

from podium.web.cache.cached_response import CachedResponse
from podium.web.cache.read_moment import ReadMoment

# Pages; a page of 1,000 repositories takes half a megabyte.
_MOST_KEPT = 16


class ListingCache:
    """Own changes show at once, as :class:`podium.web.cache.row_batcher.RowBatcher` shows them.

    Args:
        clock: as ``time.monotonic``.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # When the reading of each began.
        self._kept: LRUCache[Hashable, tuple[ReadMoment, asyncio.Future[CachedResponse]]] = LRUCache(_MOST_KEPT)

    async def get(self, key: Hashable, make: Callable[[], CachedResponse]) -> CachedResponse:
        """The page of ``key``, or what ``make`` returns in a thread; its errors are those of every caller."""
        kept = self._kept.get(key)
        if kept is not None and kept[0].is_fresh(self._clock()):
            page = kept[1]
            if page.done():
                return page.result()
            if page.get_loop() is asyncio.get_running_loop():
                return await asyncio.shield(page)
        began = ReadMoment.now(self._clock)
        page = asyncio.ensure_future(run_in_threadpool(make))
        self._kept[key] = (began, page)
        page.add_done_callback(lambda done: self._forget_failure(key, done))
        return await asyncio.shield(page)

    def _forget_failure(self, key: Hashable, page: asyncio.Future[CachedResponse]) -> None:
        # Reading the exception also keeps asyncio from logging it if every caller has gone.
        if page.cancelled() or page.exception() is not None:
            kept = self._kept.get(key)
            if kept is not None and kept[1] is page:
                del self._kept[key]
