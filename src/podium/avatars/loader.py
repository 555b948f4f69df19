"""Faces as the web asks for them: from the disk at once, else fetched, each only once at a time.

Fetching lives on an event loop in a thread of its own: one deadline bounds a whole fetch, however slowly a host drips,
and no thread of the web's waits for it.
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
from pathlib import Path

from podium.avatars.allowed_origins import Refused, Source, Sources
from podium.avatars.disk_cache import Cache
from podium.avatars.fetch import Fetcher, NoFace
from podium.avatars.image_type import Face
from podium.settings import Settings
from podium.telemetry import metrics

log = logging.getLogger(__name__)

# Fetches at once, and fetches that may wait for their turn: whoever comes after those gets initials for now.
AT_ONCE = 8
_QUEUE = 500

# Seconds after which a picture is fetched anew; for which there being none, or a host's fault, is believed.
_FRESH = 7 * 86_400.0
_NONE, _FAULT = 6 * 3600.0, 300.0

# A host that stumbles so often in a row is left alone for so many seconds, or as long as it asks, within bounds.
_STUMBLES, _PAUSE, _LONGEST_PAUSE = 5, 60.0, 3600.0

Fetch = concurrent.futures.Future[Face | None]


@dataclasses.dataclass
class _Host:
    stumbles: int = 0
    until: float = 0.0


class Faces:
    """The pictures of accounts. Safe to share between threads; close it."""

    def __init__(self, settings: Settings) -> None:
        self._sources = Sources(settings)
        self._cache = Cache(_folder(settings), settings.avatar_cache_bytes)
        self._fetcher = Fetcher(self._sources)
        self._lock = threading.Lock()
        self._flying: dict[str, Fetch] = {}
        self._hosts: dict[str, _Host] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._closed = False

    def _kept(self, url: str) -> Face | None:
        """The picture at ``url``, if it is on disk; an old one is given too, and renewed meanwhile."""
        source = self._source(url)
        found = self._cache.get(source.url) if source else None
        if source is None or found is None:
            return None
        face, age = found
        if age > _FRESH:
            self._start(source)
        return face

    async def faces(self, urls: Iterable[str], patience: float) -> dict[str, Face]:
        """The pictures at ``urls``, as far as they can be had in ``patience`` seconds.

        What comes later is kept for the next who asks.
        """
        found: dict[str, Face] = {}
        coming: dict[str, Fetch] = {}
        for url, state in (await asyncio.to_thread(self._ask, dict.fromkeys(urls))).items():
            if isinstance(state, Face):
                found[url] = state
            else:
                coming[url] = state
        await _all_done(coming.values(), patience)
        for url, fetch in coming.items():
            face = fetch.result() if fetch.done() and not fetch.cancelled() else None
            if face is not None:
                found[url] = face
        return found

    def close(self) -> None:
        """Give up what is being fetched, and end the thread."""
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    def _ask(self, urls: Iterable[str]) -> dict[str, Face | Fetch]:
        states: dict[str, Face | Fetch] = {}
        for url in urls:
            face = self._kept(url)
            if face is not None:
                states[url] = face
                continue
            source = self._source(url)
            fetch = self._start(source) if source else None
            if fetch is not None:
                states[url] = fetch
        return states

    def _source(self, url: str) -> Source | None:
        try:
            return self._sources.source(url)
        except Refused as error:
            log.debug("A picture is not asked for: %s.", error)
            return None

    def _start(self, source: Source) -> Fetch | None:
        """Begin to fetch, or join who does already; None where the host is not to be asked now."""
        if self._cache.has_failed(source.url):
            return None
        with self._lock:
            flying = self._flying.get(source.url)
            if flying is not None:
                return flying
            host = self._hosts.setdefault(source.origin, _Host())
            if self._closed or len(self._flying) >= _QUEUE or host.until > time.monotonic():
                return None
            fetch = asyncio.run_coroutine_threadsafe(self._fetch(source, host), self._running_loop())
            self._flying[source.url] = fetch
        return fetch

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._run, args=(self._loop,), name="faces", daemon=True)
            self._thread.start()
        return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.run_forever()
            loop.run_until_complete(self._end())
        finally:
            loop.close()

    async def _end(self) -> None:
        fetches = asyncio.all_tasks() - {asyncio.current_task()}
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)
        await self._fetcher.close()

    async def _fetch(self, source: Source, host: _Host) -> Face | None:
        try:
            async with self._slots:
                if host.until > time.monotonic():
                    return None
                return await self._fetched(source, host)
        finally:
            with self._lock:
                self._flying.pop(source.url, None)

    async def _fetched(self, source: Source, host: _Host) -> Face | None:
        try:
            face = await self._fetcher.fetch(source)
        except NoFace as error:
            log.info("No picture from %s: %s.", source.origin, error)
            await asyncio.to_thread(self._cache.failed, source.url, _FAULT if error.busy else _NONE)
            metrics.add(metrics.AVATARS, outcome="fault" if error.busy else "none")
            _stumbled(host, error)
            return None
        host.stumbles = 0
        metrics.add(metrics.AVATARS, outcome="fetched")
        await asyncio.to_thread(self._cache.put, source.url, face)
        return face


def _stumbled(host: _Host, error: NoFace) -> None:
    host.stumbles = host.stumbles + 1 if error.busy else 0
    if error.pause is not None:
        host.until = time.monotonic() + min(error.pause, _LONGEST_PAUSE)
    elif host.stumbles >= _STUMBLES:
        host.until = time.monotonic() + _PAUSE


async def _all_done(fetches: Iterable[Fetch], patience: float) -> None:
    """Wait on this loop for what happens on another; cancels nothing when the time is up."""
    loop = asyncio.get_running_loop()

    async def done(fetch: Fetch) -> None:
        arrived = asyncio.Event()

        def tell(_: Fetch) -> None:
            # Who waited may be gone, and their loop closed.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(arrived.set)

        fetch.add_done_callback(tell)
        await arrived.wait()

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience):
            await asyncio.gather(*map(done, fetches))


def _folder(settings: Settings) -> Path:
    return settings.data_folder() / "avatars"
