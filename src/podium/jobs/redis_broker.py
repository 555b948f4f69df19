"""Messages that lie in Redis (or Valkey), for as many processes and machines as there are.

What was learnt by trial about Dramatiq's broker, and stands here as settings:

- A dead worker's messages are taken back by whichever command happens to do maintenance, by default one in a thousand:
  here every one does, so that they come back as soon as :data:`HEARTBEAT_TIMEOUT` is over.
- Heartbeats ride on commands, and a worker that has all the messages that it may take sends none: a thread of its own
  does (:class:`_Heartbeat`). Without it a live worker's messages would be given to another. The lease would keep the
  result right, but not the work from being done twice.
- A consumer that has all the messages that it may take looks ever less often whether one has ended, and leaves a worker
  idle after each job for longer than a small repository takes: :class:`_Consumer` is told.
- ``maintenance`` looks for keys by a pattern: Podium wants a Redis database of its own (``REDIS_URL=redis://host/1``).
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.common import dq_name
from dramatiq.errors import BrokerConnectionError, ConnectionClosed
from dramatiq.middleware import Middleware
from redis.backoff import NoBackoff
from redis.retry import Retry

from podium.errors import BadSetting
from podium.jobs.redis_queues import HEARTBEAT_TIMEOUT, NAMESPACE, RedisQueues, line_of, told
from podium.settings import Settings

_ALWAYS = 1_000_000

# There while the queue has everything that was rung; gone with everything else when Redis loses its data.
_FILLED = f"{NAMESPACE}:filled"

# Whoever asks must hear in time that Redis is away. Once more, since a connection may have been cut while it was idle.
_PATIENCE = {"socket_connect_timeout": 3, "socket_timeout": 5, "retry": Retry(NoBackoff(), 1)}


def connect(settings: Settings) -> redis.Redis:
    """A client of the Redis that the settings name; it connects when it is used.

    Raises:
        BadSetting: ``REDIS_URL`` cannot be read. The message does not repeat it.
    """
    options: dict[str, Any] = {**_PATIENCE, "protocol": 2}
    if settings.redis_password:
        options["password"] = settings.redis_password
    if not settings.redis_url:
        return redis.Redis(host=settings.redis_host, port=settings.redis_port, ssl=settings.redis_tls, **options)
    url = settings.redis_url
    if settings.redis_tls:
        url = url.replace("redis://", "rediss://", 1)
    try:
        return redis.Redis.from_url(url, **options)
    except ValueError:
        raise BadSetting(
            "REDIS_URL cannot be read: write redis://:PASSWORD@HOST:PORT/DATABASE (rediss:// for TLS), with %XX for "
            "whatever in the password is neither a letter nor a digit."
        ) from None


class RedisBackend(RedisQueues):
    """A backend in the Redis of ``client``."""

    def broker(self, queue: str, middleware: list[Middleware], /) -> dramatiq.Broker:
        """See :class:`podium.jobs.broker.Backend`, as for everything here."""
        for consumer in (queue, dq_name(queue)):
            logging.getLogger(f"dramatiq.worker.ConsumerThread({consumer})").addFilter(_is_news)
        return _Broker(  # type: ignore[no-untyped-call]
            client=self._client,
            middleware=[*middleware, _Heartbeat(queue)],
            namespace=NAMESPACE,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            maintenance_chance=_ALWAYS,
        )

    def check(self) -> None:
        """Asks Redis."""
        with told():
            self._client.ping()

    def waiting(self, *queues: str) -> int:
        """Asks Redis."""
        with told():
            return sum(int(self._client.llen(f"{NAMESPACE}:{queue}")) for queue in queues)

    def is_fresh(self) -> bool:
        """Asks Redis."""
        with told():
            return not self._client.exists(_FILLED)

    def note_filled(self) -> None:
        """Tells Redis."""
        with told():
            self._client.set(_FILLED, 1)


def _is_news(record: logging.LogRecord) -> bool:
    # That Redis is away is said once, by the reconciler, and not by each consumer every three seconds.
    return not str(record.msg).startswith(("Consumer encountered a connection error", "Restarting consumer"))


class _Consumer(_RedisConsumer):
    """Takes the next message as soon as there is room for one."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)  # type: ignore[no-untyped-call]
        self._ended = threading.Event()

    def __next__(self) -> Any:
        self._ended.clear()
        if not self.message_cache and self.outstanding_message_count >= self.prefetch:
            if not self._ended.wait(self.timeout / 1000):
                return None
            self.misses = 0
        return super().__next__()  # type: ignore[no-untyped-call]

    def ack(self, message: Any) -> None:
        """Tell Redis, and the thread that takes messages."""
        try:
            super().ack(message)  # type: ignore[no-untyped-call]
        finally:
            self._ended.set()

    def nack(self, message: Any) -> None:
        """The same for one that has failed."""
        try:
            super().nack(message)  # type: ignore[no-untyped-call]
        finally:
            self._ended.set()


class _Broker(RedisBroker):
    """Reports every fault of Redis, a slow or full one too, as what Dramatiq waits out."""

    @property
    def consumer_class(self) -> type[_Consumer]:
        return _Consumer

    def _dispatch(self, command: str) -> Callable[..., Any]:
        dispatch = super()._dispatch(command)  # type: ignore[no-untyped-call]

        def do(*arguments: Any) -> Any:
            try:
                return dispatch(*arguments)
            except redis.RedisError as error:
                raise ConnectionClosed(line_of(error)) from error  # type: ignore[no-untyped-call]

        return do


class _Heartbeat(Middleware):
    """Sends a heartbeat every third of the time after which a worker is taken for dead."""

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._stop = threading.Event()

    def after_worker_boot(self, broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        """Begin."""
        threading.Thread(target=self._beat, args=(broker,), name=f"heartbeat-{self._queue}", daemon=True).start()

    def after_worker_shutdown(self, _broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        """End."""
        self._stop.set()

    def _beat(self, broker: Any) -> None:
        while not self._stop.wait(HEARTBEAT_TIMEOUT / 3000):
            with contextlib.suppress(BrokerConnectionError):
                broker.do_qsize(self._queue)
