"""The rate budget in Redis: one state a token, shared by every user worker there is.

Each change is optimistic: the state is read, the next one computed here, and saved only if nobody came between (WATCH,
MULTI, EXEC); else it is computed again from what the other left.
"""

from __future__ import annotations

import dataclasses
import json
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis

from podium.accounts.github.budget import Slot, State, Window
from podium.errors import QueueError

T = TypeVar("T")

# Seconds after which a state that nobody changes is forgotten: longer than any window of GitHub's. A limit that lasts
# for longer still is remembered by the database.
_EXPIRY = 2 * 3600
# Of the pause before another try, in seconds: long enough for a neighbour on the network to be done.
_PAUSE = 0.005


class RedisStore:
    """A store (:class:`podium.accounts.github.token_pool.Store`) in the Redis of ``client``, under ``prefix``."""

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def change(self, key: str, apply: Callable[[State | None], tuple[State, T]]) -> T:
        """See the protocol.

        Raises:
            QueueError: Redis cannot be used.
        """
        name = f"{self._prefix}:{key}"
        try:
            while True:
                with self._client.pipeline() as pipeline:
                    pipeline.watch(name)  # type: ignore[no-untyped-call]
                    before: Any = pipeline.get(name)
                    after, result = apply(None if before is None else loads(before))
                    pipeline.multi()
                    pipeline.set(name, dumps(after), ex=_EXPIRY)
                    try:
                        pipeline.execute()
                    except redis.WatchError:
                        time.sleep(random.random() * _PAUSE)  # noqa: S311 - keeps two from colliding again, no secret
                        continue
                    return result
        except redis.RedisError as error:
            raise _unusable(error) from error

    def peek(self, key: str) -> State | None:
        """See the protocol.

        Raises:
            QueueError: Redis cannot be used.
        """
        try:
            kept: Any = self._client.get(f"{self._prefix}:{key}")
        except redis.RedisError as error:
            raise _unusable(error) from error
        return None if kept is None else loads(kept)


def _unusable(error: redis.RedisError) -> QueueError:
    return QueueError(f"Redis cannot be used for the rate budget ({type(error).__name__}).")


def dumps(state: State) -> str:
    """A state as JSON."""
    return json.dumps(dataclasses.asdict(state))


def loads(text: str | bytes) -> State | None:
    """What :func:`dumps` wrote; None for what another version of it wrote, or somebody else."""
    try:
        fields: dict[str, Any] = json.loads(text)
        fields["windows"] = {api: Window(**window) for api, window in fields["windows"].items()}
        fields["slots"] = tuple((Slot(**slot), until) for slot, until in fields["slots"])
        fields["spent"] = tuple((second, api, points) for second, api, points in fields["spent"])
        return State(**fields)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
