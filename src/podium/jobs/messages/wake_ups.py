"""Redis tells idle consumers of a new message, so that they need not ask for one several times a second."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import redis

from podium.jobs.messages.redis_queues import NAMESPACE

_CHANNEL = f"{NAMESPACE}:wake"
# Seconds until the next try after an error.
_RETRY_SECONDS = 1.0
# Seconds between two looks at whether the process stops.
_LOOK_SECONDS = 5.0


def notify(client: redis.Redis, queue: str) -> None:
    """Wake the consumers of a queue. Consumers that are not reached ask on their own a little later."""
    with contextlib.suppress(redis.RedisError):
        client.publish(_CHANNEL, queue)


class WakeUps:
    """Calls what waits for a queue, from one thread of the process that begins with the first :meth:`add`."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._waiting: dict[str, list[Callable[[], None]]] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wake-ups", daemon=True)

    def add(self, queue: str, wake: Callable[[], None]) -> None:
        with self._lock:
            self._waiting.setdefault(queue, []).append(wake)
            if not self._thread.is_alive() and not self._stop.is_set():
                self._thread.start()

    def remove(self, queue: str, wake: Callable[[], None]) -> None:
        with self._lock:
            self._waiting[queue].remove(wake)

    def close(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._client.pubsub(ignore_subscribe_messages=True) as pubsub:  # type: ignore[no-untyped-call]
                    pubsub.subscribe(_CHANNEL)
                    # What was sent before is not received.
                    self._wake_all()
                    while not self._stop.is_set():
                        if message := pubsub.get_message(timeout=_LOOK_SECONDS):
                            self._wake(message["data"].decode())
            except redis.RedisError:
                self._stop.wait(_RETRY_SECONDS)
            except (ValueError, AttributeError):
                # The client was closed while this thread read: its connection has no socket or no buffer any more.
                return

    def _wake(self, queue: str) -> None:
        with self._lock:
            waiting = list(self._waiting.get(queue, ()))
        for wake in waiting:
            wake()

    def _wake_all(self) -> None:
        for queue in list(self._waiting):
            self._wake(queue)
