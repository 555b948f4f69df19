"""Messages in Redis (or Valkey), shared by processes and machines.

Settings of Dramatiq's broker, with the reason for each:

- Maintenance requeues a dead worker's messages. By default one command in a thousand does it; here every command does.
- A worker's commands are its heartbeat, and a busy worker sends none. :class:`_KeepAlive` sends them, so that its
  messages do not go to another worker, which would do the work twice.
- A busy consumer polls at growing intervals for a finished message. :class:`_PromptConsumer` is notified instead.
- Maintenance searches keys by a pattern, so Podium needs its own Redis database (``REDIS_URL=redis://host/1``).
"""

from __future__ import annotations

import contextlib
import functools
import logging
import ssl
import threading
from collections.abc import Callable
from typing import Any

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.common import dq_name, q_name
from dramatiq.errors import BrokerConnectionError, ConnectionClosed
from dramatiq.middleware import Middleware
from redis.backoff import NoBackoff
from redis.retry import Retry

from podium.errors import BadSetting
from podium.jobs.periodic import Periodic
from podium.jobs.redis_queues import HEARTBEAT_TIMEOUT, NAMESPACE, RedisQueues, line_of, redis_errors
from podium.settings import Settings

_ALWAYS = 1_000_000

# Redis loses this key together with the messages.
_FILLED = f"{NAMESPACE}:filled"
_PROBE = f"{NAMESPACE}:probe"

# One retry: an idle connection may have been closed.
_TIMEOUTS = {"socket_connect_timeout": 3, "socket_timeout": 5, "retry": Retry(NoBackoff(), 1)}


def connect(settings: Settings, **timeouts: float) -> redis.Redis:
    """Return a client for the configured Redis. It connects on first use.

    ``timeouts``: ``socket_connect_timeout`` and ``socket_timeout``, in seconds.

    Raises:
        BadSetting: ``REDIS_URL`` or ``PODIUM_REDIS_CA`` is invalid. The message omits the URL: it may contain a
            password.
    """
    options: dict[str, Any] = {**_TIMEOUTS, **timeouts, "protocol": 2, **_tls(settings)}
    if settings.redis_password:
        options["password"] = settings.redis_password
    if not settings.redis_url:
        return redis.Redis(host=settings.redis_host, port=settings.redis_port, ssl=settings.redis_tls, **options)
    url = settings.redis_url
    if settings.redis_tls and url.startswith("redis:"):
        url = url.replace("redis:", "rediss:", 1)
    try:
        return redis.Redis.from_url(url, **options)
    except ValueError:
        raise BadSetting(
            "REDIS_URL cannot be read: write redis://:PASSWORD@HOST:PORT/DATABASE (rediss:// for TLS), with %XX for "
            "each character of the password that is neither a letter nor a digit."
        ) from None


def _tls(settings: Settings) -> dict[str, Any]:
    """Options of TLS, or BadSetting."""
    if not settings.redis_ca:
        return {}
    if not (settings.redis_tls or settings.redis_url.startswith("rediss:")):
        raise BadSetting("PODIUM_REDIS_CA is set, but Redis is used without TLS: write rediss:// in REDIS_URL.")
    try:
        ssl.create_default_context(cafile=settings.redis_ca)
    except ssl.SSLError:
        raise BadSetting(f"PODIUM_REDIS_CA ({settings.redis_ca}) has no certificates: name a file in PEM.") from None
    except OSError as error:
        raise BadSetting(f"PODIUM_REDIS_CA ({settings.redis_ca}) cannot be read ({error.strerror}).") from None
    return {"ssl_ca_certs": settings.redis_ca}


class RedisBackend(RedisQueues):
    """Implements :class:`podium.jobs.broker.Backend`."""

    def broker(self, queue: str, middleware: list[Middleware], paused: threading.Event, /) -> dramatiq.Broker:
        for consumer in (queue, dq_name(queue)):
            logging.getLogger(f"dramatiq.worker.ConsumerThread({consumer})").addFilter(_is_not_outage)
        return _OutageBroker(
            paused,
            client=self._client,
            middleware=[*middleware, _KeepAlive(queue)],
            namespace=NAMESPACE,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            maintenance_chance=_ALWAYS,
        )

    def check(self) -> None:
        with redis_errors(self._client):
            # A full Redis and a replica answer PING.
            self._client.set(_PROBE, 1, ex=60)

    def waiting(self, *queues: str) -> int:
        with redis_errors(self._client):
            return sum(int(self._client.llen(f"{NAMESPACE}:{queue}")) for queue in queues)

    def is_fresh(self) -> bool:
        with redis_errors(self._client):
            return not self._client.exists(_FILLED)

    def note_filled(self) -> None:
        with redis_errors(self._client):
            self._client.set(_FILLED, 1)


def _is_not_outage(record: logging.LogRecord) -> bool:
    # The reconciler logs an outage once; each consumer would log it every three seconds.
    return not str(record.msg).startswith(("Consumer encountered a connection error", "Restarting consumer"))


class _PromptConsumer(_RedisConsumer):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)  # type: ignore[no-untyped-call]
        self._ended = threading.Event()

    def __next__(self) -> Any:
        self._ended.clear()
        if self.broker.is_paused(self.queue_name) and not self.message_cache:
            self._ended.wait(self.timeout / 1000)
            return None
        if not self.message_cache and self.outstanding_message_count >= self.prefetch:
            if not self._ended.wait(self.timeout / 1000):
                return None
            self.misses = 0
        return super().__next__()  # type: ignore[no-untyped-call]

    def ack(self, message: Any) -> None:
        try:
            super().ack(message)  # type: ignore[no-untyped-call]
        finally:
            self._ended.set()

    def nack(self, message: Any) -> None:
        try:
            super().nack(message)  # type: ignore[no-untyped-call]
        finally:
            self._ended.set()


class _OutageBroker(RedisBroker):
    """Turns every Redis error, such as a timeout, into the error that Dramatiq retries."""

    def __init__(self, paused: threading.Event, **options: Any) -> None:
        self._paused = paused
        super().__init__(**options)  # type: ignore[no-untyped-call]

    def is_paused(self, queue_name: str) -> bool:
        """Delayed messages are still moved to their queue."""
        return self._paused.is_set() and queue_name == q_name(queue_name)

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
    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._thread: Periodic | None = None

    def after_worker_boot(self, broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        beat = functools.partial(self._beat, broker)
        self._thread = Periodic(f"heartbeat-{self._queue}", HEARTBEAT_TIMEOUT / 3000, beat)
        self._thread.start()

    def after_worker_shutdown(self, _broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        if self._thread is not None:
            self._thread.stop(wait=False)

    def _beat(self, broker: Any) -> None:
        with contextlib.suppress(BrokerConnectionError):
            broker.do_qsize(self._queue)
