"""Delete the cached pictures of accounts that no board names any more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from podium.avatars.avatar_sources import AvatarRefused, AvatarSources
from podium.avatars.disk_cache import DiskCache
from podium.settings import Settings


class CachedPictures:
    """The pictures on this machine, by the addresses that hosts report."""

    def __init__(self, settings: Settings) -> None:
        self._sources = AvatarSources(settings)
        self._cache = DiskCache(settings.data_folder() / "avatars", settings.avatar_cache_bytes)

    def drop(self, urls: Collection[str]) -> None:
        self._cache.drop(list(self._fetched_from(urls)))

    def drop_others(self, urls: Iterable[str], *, age: float) -> int:
        """Delete all others that are older than ``age`` seconds; return how many."""
        return self._cache.drop_others(self._fetched_from(urls), age=age)

    def _fetched_from(self, urls: Iterable[str]) -> Iterator[str]:
        for url in urls:
            try:
                yield self._sources.source(url).url
            except AvatarRefused:
                continue
