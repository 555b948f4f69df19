"""Accept connections, within bounds.

asyncio's own loop logs each attempt when no more files can be opened, and tries thousands of times per second.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Sequence

from podium.web.serving.connections import Connections

# Seconds after which to try again when there is no room.
_RETRY = 0.1
# Connections to accept before the event loop turns to others.
ACCEPT_AT_ONCE = 100
# Seconds between two lines of the log about it.
_LOG_EVERY = 60.0

log = logging.getLogger(__name__)


class Acceptor:
    """Accepts connections in the running event loop, as long as there is room among ``connections``.

    Clients beyond it wait in the listeners' queues.
    """

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        make_protocol: Callable[[], asyncio.Protocol],
        connections: Connections,
        at_once: int = ACCEPT_AT_ONCE,
    ) -> None:
        self._at_once = at_once
        self._listeners = listeners
        self._make_protocol = make_protocol
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._retries: dict[socket.socket, asyncio.TimerHandle] = {}
        # Accepted, and not yet among the connections.
        self._starting: set[asyncio.Task[object]] = set()
        self._logged_at = float("-inf")

    def start(self) -> None:
        for listener in self._listeners:
            listener.setblocking(False)
            self._resume(listener)

    def stop(self) -> None:
        for retry in self._retries.values():
            retry.cancel()
        for listener in self._listeners:
            self._loop.remove_reader(listener)

    def _resume(self, listener: socket.socket) -> None:
        self._retries.pop(listener, None)
        self._loop.add_reader(listener, self._accept, listener)

    def _pause(self, listener: socket.socket, reason: str) -> None:
        self._loop.remove_reader(listener)
        self._retries[listener] = self._loop.call_later(_RETRY, self._resume, listener)
        if time.monotonic() - self._logged_at >= _LOG_EVERY:
            self._logged_at = time.monotonic()
            log.warning("new connections wait: %s", reason)

    def _accept(self, listener: socket.socket) -> None:
        free = self._connections.free - len(self._starting)
        if free <= 0 and not self._connections.evict():
            self._pause(
                listener, "the connection limit is reached (PODIUM_MAX_CONNECTIONS, and the limit of open files)"
            )
            return
        for _ in range(max(1, min(free, self._at_once))):
            try:
                accepted, _address = listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                # Usually: no more files may be opened.
                self._connections.evict()
                self._pause(listener, str(error))
                return
            accepted.setblocking(False)
            task = self._loop.create_task(self._start(accepted))
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

    async def _start(self, accepted: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._make_protocol, accepted)
        except OSError as error:
            accepted.close()
            log.debug("a connection broke off as it began: %s", error)
