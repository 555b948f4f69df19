"""Messages in Redis (or Valkey), shared by processes and machines.

Settings of Dramatiq's broker, with the reason for each:

- The messages of a dead worker are given back by whichever command does maintenance, by default one in a thousand. Here
  every command does, so that they come back as soon as :data:`HEARTBEAT_TIMEOUT` is over.
- A worker's commands are its heartbeat, and a worker that has taken all the messages it may take sends none. A thread
  sends them (:class:`_KeepAlive`); otherwise the messages of a busy worker would be given to another. The lease would
  keep the result right, but the work would be done twice.
- A consumer that has taken all the messages it may take checks at growing intervals whether one has ended, and leaves
  its worker idle after each job for longer than a small repository takes. :class:`_PromptConsumer` is notified.
- Maintenance searches keys by a pattern, so Podium needs a Redis database of its own (``REDIS_URL=redis://host/1``).
"""

from __future__ import annotations

import contextlib
import functools
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
from podium.jobs.periodic import Periodic
from podium.jobs.redis_queues import HEARTBEAT_TIMEOUT, NAMESPACE, RedisQueues, line_of, redis_errors
from podium.settings import Settings

_ALWAYS = 1_000_000

# Exists while Redis has its data: it is lost together with the messages.
_FILLED = f"{NAMESPACE}:filled"

# Callers must learn within seconds that Redis is away. One retry: an idle connection may have been closed.
_TIMEOUTS = {"socket_connect_timeout": 3, "socket_timeout": 5, "retry": Retry(NoBackoff(), 1)}


def connect(settings: Settings) -> redis.Redis:
    """A client of the Redis that the settings name. It connects on first use.

    Raises:
        BadSetting: ``REDIS_URL`` cannot be read. The message does not contain it: it may hold a password.
    """
    options: dict[str, Any] = {**_TIMEOUTS, "protocol": 2}
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
            "each character of the password that is neither a letter nor a digit."
        ) from None


class RedisBackend(RedisQueues):
    """See :class:`podium.jobs.broker.Backend`."""

    def broker(self, queue: str, middleware: list[Middleware], /) -> dramatiq.Broker:
        """A broker of ``queue``."""
        for consumer in (queue, dq_name(queue)):
            logging.getLogger(f"dramatiq.worker.ConsumerThread({consumer})").addFilter(_is_not_outage)
        return _OutageBroker(  # type: ignore[no-untyped-call]
            client=self._client,
            middleware=[*middleware, _KeepAlive(queue)],
            namespace=NAMESPACE,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            maintenance_chance=_ALWAYS,
        )

    def check(self) -> None:
        """Send a command to Redis."""
        with redis_errors():
            self._client.ping()

    def waiting(self, *queues: str) -> int:
        """The number of messages that wait for a worker."""
        with redis_errors():
            return sum(int(self._client.llen(f"{NAMESPACE}:{queue}")) for queue in queues)

    def is_fresh(self) -> bool:
        """Whether Redis has no data."""
        with redis_errors():
            return not self._client.exists(_FILLED)

    def note_filled(self) -> None:
        """Remember it until Redis loses its data."""
        with redis_errors():
            self._client.set(_FILLED, 1)


def _is_not_outage(record: logging.LogRecord) -> bool:
    # The reconciler logs an outage once; each consumer would do so every three seconds.
    return not str(record.msg).startswith(("Consumer encountered a connection error", "Restarting consumer"))


class _PromptConsumer(_RedisConsumer):
    """Takes the next message as soon as one has ended."""

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
        """Acknowledge a message."""
        try:
            super().ack(message)  # type: ignore[no-untyped-call]
        finally:
            self._ended.set()

    def nack(self, message: Any) -> None:
        """Reject a message."""
        try:
            super().nack(message)  # type: ignore[no-untyped-call]
        finally:
            self._ended.set()


class _OutageBroker(RedisBroker):
    """Raises for every error of Redis, such as a timeout, the one that Dramatiq retries."""

    @property
    def consumer_class(self) -> type[_PromptConsumer]:
        return _PromptConsumer

    def _dispatch(self, command: str) -> Callable[..., Any]:
        dispatch = super()._dispatch(command)  # type: ignore[no-untyped-call]

        def do(*arguments: Any) -> Any:
            try:
                return dispatch(*arguments)
            except redis.RedisError as error:
                raise ConnectionClosed(line_of(error)) from error  # type: ignore[no-untyped-call]

        return do


class _KeepAlive(Middleware):
    """Sends a heartbeat three times per :data:`HEARTBEAT_TIMEOUT`."""

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._thread: Periodic | None = None

    def after_worker_boot(self, broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        """Start."""
        beat = functools.partial(self._beat, broker)
        self._thread = Periodic(f"heartbeat-{self._queue}", HEARTBEAT_TIMEOUT / 3000, beat)
        self._thread.start()

    def after_worker_shutdown(self, _broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        """Stop, without waiting for a Redis that is away."""
        if self._thread is not None:
            self._thread.stop(wait=False)

    def _beat(self, broker: Any) -> None:
        with contextlib.suppress(BrokerConnectionError):
            broker.do_qsize(self._queue)
