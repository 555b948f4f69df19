"""The operator's view of the queues in Redis, from the keys of Dramatiq's broker.

Keys of queue Q (``dramatiq/brokers/redis/dispatch.lua``): ``Q`` lists waiting messages, ``Q.DQ.msgs`` holds delayed
ones, ``Q.XQ`` and ``Q.XQ.msgs`` dead ones, ``__acks__.BROKER.Q`` active ones, and ``__heartbeats__`` the time of each
broker's last command.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import redis
from dramatiq.message import Message

from podium.errors import QueueError
from podium.jobs.messages.queues import COMMITS, USERS, Depth

NAMESPACE = "podium"
# Milliseconds without a heartbeat until a worker's messages go to others.
HEARTBEAT_TIMEOUT = 20_000

_HEARTBEATS = f"{NAMESPACE}:__heartbeats__"

# By words of Redis' errors and of redis-py's.
_REASONS = (
    ("used memory > 'maxmemory'", "is full and accepts no writes: raise its maxmemory"),
    ("read only replica", "is a replica, which accepts no writes: name the primary in REDIS_URL"),
    ("MISCONF", "cannot save to its disk and accepts no writes: see its log, the disk may be full"),
    ("NOAUTH", "needs a password: set REDIS_PASSWORD"),
    ("WRONGPASS", "does not accept the password: check REDIS_PASSWORD and REDIS_URL"),
    ("invalid username-password", "does not accept the password: check REDIS_PASSWORD and REDIS_URL"),
    # What a port that speaks TLS answers to a client that does not.
    ("Connection closed by server", "closed the connection: if this port speaks TLS, write rediss:// or set REDIS_TLS"),
    ("Connection reset by peer", "closed the connection: if this port speaks TLS, write rediss:// or set REDIS_TLS"),
    ("Protocol Error", "speaks something else at this port: if it is TLS, write rediss:// or set REDIS_TLS"),
)
_CLIENT_CERTIFICATE = "add ?ssl_certfile=…&ssl_keyfile=… to REDIS_URL, or set its tls-auth-clients to no"
# By words of OpenSSL's errors.
_TLS_REASONS = (
    *_REASONS[:6],
    ("address mismatch", "has a TLS certificate for another name ({text}): write that name in REDIS_URL"),
    ("ostname mismatch", "has a TLS certificate for another name ({text}): write that name in REDIS_URL"),
    ("certificate has expired", "has a TLS certificate that has expired: renew it"),
    ("certificate is not yet valid", "has a TLS certificate that is not valid yet: check the clocks"),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "has a TLS certificate of an unknown authority ({text}): set PODIUM_REDIS_CA to the file of its certificate",
    ),
    ("CERTIFICATE_REQUIRED", f"wants a TLS certificate of its clients: {_CLIENT_CERTIFICATE}"),
    # What comes first depends on the moment at which it closes.
    *(
        (words, f"closes TLS connections: see its log; if it wants certificates of clients, {_CLIENT_CERTIFICATE}")
        for words in ("EOF occurred", "reset by peer", "closed by server")
    ),
    (
        "Timeout connecting",
        "does not answer the TLS handshake: check that it runs, and that this port speaks TLS (redis:// is without)",
    ),
    ("WRONG_VERSION_NUMBER", "does not speak TLS at this port: write redis://, or its port with TLS"),
    ("RECORD_LAYER_FAILURE", "does not speak TLS at this port: write redis://, or its port with TLS"),
)


class RedisQueues:
    source = "redis"

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def close(self) -> None:
        self._client.close()

    def depths(self) -> Mapping[str, Depth]:
        with redis_errors(self._client):
            brokers = self._brokers()
            return {queue: self._depth(queue, brokers) for queue in (COMMITS, USERS)}

    def forget_dead(self, repository_ids: Collection[int] | None, /) -> int:
        with redis_errors(self._client):
            return sum(self._forget(queue, repository_ids) for queue in (COMMITS, USERS))

    def _brokers(self) -> list[tuple[str, bool]]:
        oldest = time.time() * 1000 - HEARTBEAT_TIMEOUT
        found: Any = self._client.zrange(_HEARTBEATS, 0, -1, withscores=True)
        return [(name.decode(), seen_at >= oldest) for name, seen_at in found]

    def _depth(self, queue: str, brokers: list[tuple[str, bool]]) -> Depth:
        key = f"{NAMESPACE}:{queue}"
        # All counts are of one moment.
        ask = self._client.pipeline(transaction=True)
        ask.llen(key)
        ask.hlen(f"{key}.DQ.msgs")
        ask.zcard(f"{key}.XQ")
        for name, _ in brokers:
            ask.scard(f"{NAMESPACE}:__acks__.{name}.{queue}")
        waiting, delayed, dead, *taken = ask.execute()
        active = sum(count for count, (_, alive) in zip(taken, brokers, strict=True) if alive)
        # The next command of any broker requeues the messages of dead brokers.
        return Depth(waiting + sum(taken) - active, active, delayed, dead)

    def _forget(self, queue: str, repository_ids: Collection[int] | None) -> int:
        order, messages = f"{NAMESPACE}:{queue}.XQ", f"{NAMESPACE}:{queue}.XQ.msgs"
        ids = [
            name
            for name, data in self._client.hscan_iter(messages)
            if repository_ids is None or _repository_of(data) in repository_ids
        ]
        for start in range(0, len(ids), 1000):
            some = ids[start : start + 1000]
            ask = self._client.pipeline(transaction=True)
            ask.zrem(order, *some)
            ask.hdel(messages, *some)
            ask.execute()
        return len(ids)


def _repository_of(data: bytes) -> object:
    arguments = Message.decode(data).args
    return arguments[0] if arguments else None


@contextlib.contextmanager
def redis_errors(client: redis.Redis) -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        raise QueueError(explained(error, uses_tls=_uses_tls(client))) from error


def _uses_tls(client: redis.Redis) -> bool:
    return issubclass(client.connection_pool.connection_class, redis.SSLConnection)


def explained(error: redis.RedisError, *, uses_tls: bool = False) -> str:
    """One line: what happened, and what to do."""
    text = line_of(error)
    for words, reason in _TLS_REASONS if uses_tls else _REASONS:
        if words in text:
            return f"Redis {reason.format(text=text)}."
    advice = "check REDIS_URL, and that it runs"
    if uses_tls:
        return f"Redis cannot be used over TLS ({text}): {advice}."
    return f"Redis cannot be used ({text}): {advice}."


def line_of(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
