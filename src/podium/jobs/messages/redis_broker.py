"""Messages in Redis (or Valkey), shared by processes and machines.

Settings of Dramatiq's broker, with the reason for each:

- Maintenance requeues a dead worker's messages. By default one command in a thousand does it; here every command does.
- A worker's commands are its heartbeat, and a busy worker sends none. :class:`_KeepAlive` sends them, so that its
  messages do not go to another worker, which would do the work twice.
- A consumer polls several times a second for a new or a finished message. :class:`_PromptConsumer` is notified instead
  (:mod:`podium.jobs.messages.wake_ups`), and polls every :data:`POLL_SECONDS` for what it missed: messages of a dead
  worker, or of a version that does not notify.
- Maintenance searches keys by a pattern, so Podium needs its own Redis database (``REDIS_URL=redis://host/1``).
"""

from __future__ import annotations

import contextlib
import functools
import heapq
import logging
import ssl
import threading
import uuid
from collections.abc import Callable
from typing import Any, get_args

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.common import current_millis, dq_name, q_name
from dramatiq.errors import BrokerConnectionError, ConnectionClosed
from dramatiq.middleware import Middleware
from redis.backoff import NoBackoff
from redis.retry import Retry

from podium.errors import BadSetting
from podium.jobs.messages.queues import Task
from podium.jobs.messages.redis_queues import HEARTBEAT_TIMEOUT, NAMESPACE, RedisQueues, line_of, redis_errors
from podium.jobs.messages.wake_ups import WakeUps, notify
from podium.jobs.periodic import Periodic
from podium.settings import Settings

_ALWAYS = 1_000_000
# Seconds after which an idle consumer polls its queue, and its delayed messages.
POLL_SECONDS = 2.0
_DELAYED_POLL_SECONDS = 5.0
# While the worker stops.
_STOPPING_SECONDS = 0.05

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
        client = redis.Redis.from_url(url, **options)
        # An unknown option (`?name=value`) would fail at the first use. This does not connect.
        client.connection_pool.connection_class(**client.connection_pool.connection_kwargs)
    except (ValueError, TypeError):
        raise BadSetting(
            "REDIS_URL cannot be read: write redis://:PASSWORD@HOST:PORT/DATABASE (rediss:// for TLS), with %XX for "
            "each character of the password that is neither a letter nor a digit."
        ) from None
    return client


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
    """Implements :class:`podium.jobs.messages.broker.Backend`."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(client)
        self._wake_ups = WakeUps(client)
        self._id = uuid.uuid4().hex

    def close(self) -> None:
        self._wake_ups.close()
        super().close()

    def leads(self, task: Task, seconds: float) -> bool:
        key = _leader(task)
        with redis_errors(self._client):
            leader = self._client.get(key)
            if leader is None:
                return bool(self._client.set(key, self._id, nx=True, px=int(seconds * 1000)))
            return leader == self._id.encode() and bool(self._client.pexpire(key, int(seconds * 1000)))

    def has_leader(self, task: Task) -> bool:
        with redis_errors(self._client):
            return bool(self._client.exists(_leader(task)))

    def stop_leading(self) -> None:
        with redis_errors(self._client):
            for task in get_args(Task):
                if self._client.get(_leader(task)) == self._id.encode():
                    self._client.delete(_leader(task))

    def broker(self, queue: str, middleware: list[Middleware], paused: threading.Event, /) -> dramatiq.Broker:
        for consumer in (queue, dq_name(queue)):
            logging.getLogger(f"dramatiq.worker.ConsumerThread({consumer})").addFilter(_is_not_outage)
        return _OutageBroker(
            paused,
            self._wake_ups,
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


def _leader(task: Task) -> str:
    return f"{NAMESPACE}:{task}"


def _is_not_outage(record: logging.LogRecord) -> bool:
    # The reconciler logs an outage once; each consumer would log it every three seconds.
    return not str(record.msg).startswith(("Consumer encountered a connection error", "Restarting consumer"))


class _PromptConsumer(_RedisConsumer):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)  # type: ignore[no-untyped-call]
        self._woken = threading.Event()
        self._is_delayed = self.queue_name != q_name(self.queue_name)
        self._is_closed = False
        # When delayed messages are due, in milliseconds since the epoch.
        self._due: list[int] = []
        self.broker.wake_ups.add(self.queue_name, self._woken.set)
        self.broker.stopping.append(self._woken.set)

    def __next__(self) -> Any:
        self._woken.clear()
        if self.message_cache:
            return self._noted(super().__next__())  # type: ignore[no-untyped-call]
        if self.broker.is_stopping:
            self._woken.wait(_STOPPING_SECONDS)
            return None
        if self.broker.is_paused(self.queue_name):
            self._woken.wait(self.timeout / 1000)
            return None
        if self.outstanding_message_count >= self.prefetch:
            if not self._woken.wait(self.timeout / 1000):
                return None
            self._woken.clear()
        # It sleeps for as long as it has missed, and then need not wait any more.
        self.misses = 0
        message = super().__next__()  # type: ignore[no-untyped-call]
        if message is None:
            self._woken.wait(self._pause())
        return self._noted(message)

    def _pause(self) -> float:
        now = current_millis()
        while self._due and self._due[0] <= now:
            heapq.heappop(self._due)
        longest = _DELAYED_POLL_SECONDS if self._is_delayed else POLL_SECONDS
        return min(longest, (self._due[0] - now) / 1000) if self._due else longest

    def _noted(self, message: Any) -> Any:
        if message is not None and (due := message.options.get("eta")) is not None:
            heapq.heappush(self._due, int(due))
        return message

    def ack(self, message: Any) -> None:
        try:
            super().ack(message)  # type: ignore[no-untyped-call]
        finally:
            self._woken.set()

    def nack(self, message: Any) -> None:
        try:
            super().nack(message)  # type: ignore[no-untyped-call]
        finally:
            self._woken.set()

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self.broker.wake_ups.remove(self.queue_name, self._woken.set)
            self.broker.stopping.remove(self._woken.set)
        super().close()


# The commands that leave a message for a consumer.
_NEW_MESSAGES = ("enqueue", "requeue")


class _OutageBroker(RedisBroker):
    """Turns every Redis error, such as a timeout, into the error that Dramatiq retries."""

    def __init__(self, paused: threading.Event, wake_ups: WakeUps, **options: Any) -> None:
        self._paused = paused
        self.wake_ups = wake_ups
        self.is_stopping = False
        # Each function wakes one consumer.
        self.stopping: list[Callable[[], None]] = []
        super().__init__(**options)  # type: ignore[no-untyped-call]

    def stop_consuming(self) -> None:
        self.is_stopping = True
        for wake in self.stopping:
            wake()

    def is_paused(self, queue_name: str) -> bool:
        """Delayed messages are still moved to their queue."""
        return self._paused.is_set() and queue_name == q_name(queue_name)

    @property
    def consumer_class(self) -> type[_PromptConsumer]:
        return _PromptConsumer

    def _dispatch(self, command: str) -> Callable[..., Any]:
        dispatch = super()._dispatch(command)  # type: ignore[no-untyped-call]

        def do(queue: str, *arguments: Any) -> Any:
            try:
                found = dispatch(queue, *arguments)
            except redis.RedisError as error:
                raise ConnectionClosed(line_of(error)) from error  # type: ignore[no-untyped-call]
            if command in _NEW_MESSAGES:
                notify(self.client, queue)
            return found

        return do


class _KeepAlive(Middleware):
    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._thread: Periodic | None = None

    def after_worker_boot(self, broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        beat = functools.partial(self._beat, broker)
        self._thread = Periodic(f"heartbeat-{self._queue}", HEARTBEAT_TIMEOUT / 3000, beat)
        self._thread.start()

    def before_worker_shutdown(self, broker: Any, _worker: dramatiq.Worker) -> None:
        broker.stop_consuming()

    def after_worker_shutdown(self, _broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        if self._thread is not None:
            self._thread.stop(wait=False)

    def _beat(self, broker: Any) -> None:
        with contextlib.suppress(BrokerConnectionError):
            broker.do_qsize(self._queue)
