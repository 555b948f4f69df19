"""Unfinished repositories, polled every second and published to all subscribers. A slow subscriber misses states."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from podium.errors import StorageError, TooManyRequests
from podium.repositories.fair_queue import NETWORK_SHARE
from podium.repositories.model import Repository
from podium.web.cache.boards import BoardCache
from podium.web.clients import ClientNetwork

# Seconds.
PERIOD = 1.0
# Per process; further pages poll.
MAX_SUBSCRIBERS = 5_000

log = logging.getLogger(__name__)

# The event of a row with that number of subscribers, and whether it is the last one. It may read the database.
MakeEvent = Callable[[Repository, int], tuple[bytes, bool]]


class Channel:
    def __init__(self) -> None:
        self.subscribers = 0
        self.latest: bytes | None = None
        self.is_last = False
        # Set when the next event is published.
        self.changed = asyncio.Event()
        self.poller: asyncio.Task[None] | None = None

    def publish(self, event: bytes, *, is_last: bool) -> None:
        if event == self.latest and is_last == self.is_last:
            return
        self.latest, self.is_last = event, is_last
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class PubSub:
    """Channels, within bounds: each subscriber holds a connection.

    Args:
        per_client: subscriptions of one client at a time. A /48 network has :data:`NETWORK_SHARE` times as many.
        most: subscriptions of all clients.
    """

    def __init__(self, boards: BoardCache, make_event: MakeEvent, per_client: int, most: int = MAX_SUBSCRIBERS) -> None:
        self._most = most
        self._boards = boards
        self._make_event = make_event
        self._channels: dict[int, Channel] = {}
        self._per_client = per_client
        self._held: Counter[str] = Counter()
        self._total = 0
        self.closed = False

    def subscribe(self, row: Repository, client: ClientNetwork) -> Channel:
        """The channel of a repository, until :meth:`unsubscribe`.

        Raises:
            TooManyRequests: there are too many subscribers, in all or of the client, or the server is stopping.
        """
        if self.closed or self._total >= self._most:
            raise TooManyRequests("Too many pages are connected: poll the state every few seconds instead.", 60)
        if any(self._held[key] >= most for key, most in self._shares(client)):
            raise TooManyRequests(
                "Too many pages are connected from your network: poll the state every few seconds instead.", 60
            )
        repository_id = row.id
        channel = self._channels.get(repository_id)
        if channel is None:
            channel = self._channels[repository_id] = Channel()
            channel.poller = asyncio.get_running_loop().create_task(self._poll(repository_id, channel))
        channel.subscribers += 1
        self._count(client, 1)
        return channel

    def unsubscribe(self, row: Repository, channel: Channel, client: ClientNetwork) -> None:
        """The last subscriber ends the polling."""
        self._count(client, -1)
        channel.subscribers -= 1
        if channel.subscribers == 0:
            self._remove(row.id, channel)
            if channel.poller is not None:
                channel.poller.cancel()

    def close(self) -> None:
        self.closed = True
        for channel in list(self._channels.values()):
            channel.publish(channel.latest or b"", is_last=True)

    def _shares(self, client: ClientNetwork) -> list[tuple[str, int]]:
        shares = [(client.key, self._per_client)]
        if client.wider_key is not None:
            shares.append((client.wider_key, self._per_client * NETWORK_SHARE))
        return shares

    def _count(self, client: ClientNetwork, change: int) -> None:
        self._total += change
        for key, _ in self._shares(client):
            self._held[key] += change
            if not self._held[key]:
                del self._held[key]

    def _remove(self, repository_id: int, channel: Channel) -> None:
        if self._channels.get(repository_id) is channel:
            del self._channels[repository_id]

    async def _poll(self, repository_id: int, channel: Channel) -> None:
        while not channel.is_last:
            try:
                row = await self._boards.row(repository_id)
                if row is None:
                    # It was deleted or hidden: the page asks again, and gets a 404.
                    channel.publish(b"", is_last=True)
                    break
                made = await run_in_threadpool(self._make_event, row, channel.subscribers)
            except StorageError as error:
                log.warning("repository %d cannot be read for its subscribers: %s", repository_id, error.message)
                made = None
            if made is not None:
                event, is_last = made
                channel.publish(event, is_last=is_last)
            await asyncio.sleep(PERIOD)
        self._remove(repository_id, channel)
