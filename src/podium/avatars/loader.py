"""Load avatars from the disk cache, or fetch them; concurrent requests for one avatar share one fetch.

Fetches run on an event loop in their own thread: one deadline bounds a slow host, and no web server thread waits.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import logging
import threading
import time
from collections.abc import Iterable

from podium.avatars.avatar_sources import AvatarRefused, AvatarSource, AvatarSources
from podium.avatars.disk_cache import DiskCache
from podium.avatars.fetch import AvatarFetcher, NoAvatar
from podium.avatars.image_type import AvatarImage
from podium.settings import Settings
from podium.telemetry import metrics

log = logging.getLogger(__name__)

# Further avatars are missing for now.
MAX_FETCHES = 8
_MAX_QUEUED = 500

# Seconds until an image is fetched again, and until a retry after none or a failure.
_FRESH = 7 * 86_400.0
_MISSING, _FAILED = 6 * 3600.0, 300.0

# Failures in a row before a host is paused, and seconds of the pause; a host's Retry-After is bounded.
_MAX_FAILURES, _PAUSE, _LONGEST_PAUSE = 5, 60.0, 3600.0

Fetch = concurrent.futures.Future[AvatarImage | None]


@dataclasses.dataclass
class _Host:
    failures: int = 0
    paused_until: float = 0.0


class AvatarLoader:
    """Safe to share between threads; the owner closes it."""

    def __init__(self, settings: Settings) -> None:
        self._sources = AvatarSources(settings)
        self._cache = DiskCache(settings.data_folder() / "avatars", settings.avatar_cache_bytes)
        self._fetcher = AvatarFetcher(self._sources)
        self._lock = threading.Lock()
        self._in_flight: dict[str, Fetch] = {}
        self._hosts: dict[str, _Host] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._slots = asyncio.Semaphore(MAX_FETCHES)
        self._closed = False

    async def load(self, urls: Iterable[str], seconds: float) -> dict[str, AvatarImage]:
        """The avatars at ``urls`` that are ready within ``seconds``; slower fetches continue and are cached."""
        found: dict[str, AvatarImage] = {}
        pending: dict[str, Fetch] = {}
        for url, state in (await asyncio.to_thread(self._find_all, dict.fromkeys(urls))).items():
            if isinstance(state, AvatarImage):
                found[url] = state
            else:
                pending[url] = state
        await _wait(pending.values(), seconds)
        for url, fetch in pending.items():
            image = fetch.result() if fetch.done() and not fetch.cancelled() else None
            if image is not None:
                found[url] = image
        return found

    def close(self) -> None:
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    def _find_all(self, urls: Iterable[str]) -> dict[str, AvatarImage | Fetch]:
        states = {url: self._find(url) for url in urls}
        return {url: state for url, state in states.items() if state is not None}

    def _find(self, url: str) -> AvatarImage | Fetch | None:
        try:
            source = self._sources.source(url)
        except AvatarRefused as error:
            log.debug("An avatar is not fetched: %s.", error)
            return None
        with self._lock:
            in_flight = self._in_flight.get(source.url)
        # In this order: a fetch fills the cache before it ends.
        cached = self._cache.get(source.url)
        if cached is not None and cached[1] <= _FRESH:
            return cached[0]
        fetch = in_flight or self._start(source)
        return fetch if cached is None else cached[0]

    def _start(self, source: AvatarSource) -> Fetch | None:
        if self._cache.has_failed(source.url):
            return None
        with self._lock:
            in_flight = self._in_flight.get(source.url)
            if in_flight is not None:
                return in_flight
            host = self._hosts.setdefault(source.origin, _Host())
            if self._closed or len(self._in_flight) >= _MAX_QUEUED or host.paused_until > time.monotonic():
                return None
            fetch = asyncio.run_coroutine_threadsafe(self._fetch(source, host), self._running_loop())
            self._in_flight[source.url] = fetch
        return fetch

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._run, args=(self._loop,), name="avatars", daemon=True)
            self._thread.start()
        return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.run_forever()
            loop.run_until_complete(self._cancel_all())
        finally:
            loop.close()

    async def _cancel_all(self) -> None:
        fetches = asyncio.all_tasks() - {asyncio.current_task()}
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)
        await self._fetcher.close()

    async def _fetch(self, source: AvatarSource, host: _Host) -> AvatarImage | None:
        try:
            async with self._slots:
                if host.paused_until > time.monotonic():
                    return None
                return await self._fetch_now(source, host)
        finally:
            with self._lock:
                self._in_flight.pop(source.url, None)

    async def _fetch_now(self, source: AvatarSource, host: _Host) -> AvatarImage | None:
        try:
            image = await self._fetcher.fetch(source)
        except NoAvatar as error:
            log.info("No avatar from %s: %s.", source.origin, error)
            await asyncio.to_thread(self._cache.put_failure, source.url, _FAILED if error.transient else _MISSING)
            metrics.add(metrics.AVATARS, outcome="fault" if error.transient else "none")
            _note_failure(host, error)
            return None
        host.failures = 0
        metrics.add(metrics.AVATARS, outcome="fetched")
        await asyncio.to_thread(self._cache.put, source.url, image)
        return image


def _note_failure(host: _Host, error: NoAvatar) -> None:
    host.failures = host.failures + 1 if error.transient else 0
    if error.retry_after is not None:
        host.paused_until = time.monotonic() + min(error.retry_after, _LONGEST_PAUSE)
    elif host.failures >= _MAX_FAILURES:
        host.paused_until = time.monotonic() + _PAUSE


async def _wait(fetches: Iterable[Fetch], seconds: float) -> None:
    """Wait on this loop for fetches on another, without cancelling them."""
    loop = asyncio.get_running_loop()

    async def done(fetch: Fetch) -> None:
        finished = asyncio.Event()

        def notify(_: Fetch) -> None:
            # The waiting loop may be closed.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(finished.set)

        fetch.add_done_callback(notify)
        await finished.wait()

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*map(done, fetches))
