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
from podium.jobs.queues import COMMITS, USERS, Depth

NAMESPACE = "podium"
# Milliseconds without a heartbeat until a worker's messages go to others.
HEARTBEAT_TIMEOUT = 20_000

_HEARTBEATS = f"{NAMESPACE}:__heartbeats__"


class RedisQueues:
    source = "redis"

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def close(self) -> None:
        self._client.close()

    def depths(self) -> Mapping[str, Depth]:
        with redis_errors():
            brokers = self._brokers()
            return {queue: self._depth(queue, brokers) for queue in (COMMITS, USERS)}

    def forget_dead(self, repository_ids: Collection[int] | None, /) -> int:
        with redis_errors():
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
def redis_errors() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        raise QueueError(explained(error)) from error


def explained(error: redis.RedisError) -> str:
    """One line: what happened, and what to do."""
    if isinstance(error, redis.exceptions.OutOfMemoryError):
        return "Redis is full and accepts no writes: raise its maxmemory."
    if isinstance(error, redis.exceptions.ReadOnlyError):
        return "Redis is a replica, which accepts no writes: name the primary in REDIS_URL."
    if str(error).startswith("MISCONF"):
        return "Redis cannot save to its disk and accepts no writes: see its log, the disk may be full."
    return f"Redis cannot be used ({line_of(error)}): check REDIS_URL, and that it runs."


def line_of(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
