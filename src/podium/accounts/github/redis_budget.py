"""The rate budget in Redis. Changes use optimistic locking (WATCH, MULTI, EXEC)."""

from __future__ import annotations

import dataclasses
import json
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis

from podium.accounts.github.budget import RateWindow, Slot, TokenState
from podium.errors import QueueError

T = TypeVar("T")

# Seconds until an unused state expires: longer than any of GitHub's windows. The database keeps longer limits.
_EXPIRY = 2 * 3600
# Seconds, about a round trip of the other client.
_PAUSE = 0.005
_SINCE_TOKEN_HEALTH = ("refused_since", "denied")


class RedisBudgetStore:
    """Implements :class:`podium.accounts.github.token_pool.BudgetStore`, with Redis keys under ``prefix``."""

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def change(self, key: str, apply: Callable[[TokenState | None], tuple[TokenState, T]]) -> T:
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
                        time.sleep(random.random() * _PAUSE)  # noqa: S311 - jitter
                        continue
                    return result
        except redis.RedisError as error:
            raise _unusable(error) from error

    def peek(self, key: str) -> TokenState | None:
        try:
            kept: Any = self._client.get(f"{self._prefix}:{key}")
        except redis.RedisError as error:
            raise _unusable(error) from error
        return None if kept is None else loads(kept)


def _unusable(error: redis.RedisError) -> QueueError:
    return QueueError(f"Redis cannot be used for the rate budget ({type(error).__name__}).")


def dumps(state: TokenState) -> str:
    fields = dataclasses.asdict(state)
    # An earlier version that shares this Redis can read the others.
    return json.dumps({name: value for name, value in fields.items() if value or name not in _SINCE_TOKEN_HEALTH})


def loads(text: str | bytes) -> TokenState | None:
    """None for other text, such as another version's."""
    try:
        fields: dict[str, Any] = json.loads(text)
        fields["windows"] = {api: RateWindow(**window) for api, window in fields["windows"].items()}
        fields["slots"] = tuple((Slot(**slot), until) for slot, until in fields["slots"])
        fields["spent"] = tuple((second, api, points) for second, api, points in fields["spent"])
        return TokenState(**fields)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
