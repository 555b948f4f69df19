"""What API processes share in Redis: counters of limits per client, the key of clients' names, sessions signed out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from podium.settings import Settings
from podium.web.admin_sessions import EndedSessions
from podium.web.client_ids import ClientIds
from podium.web.client_limits import Counters
from podium.web.shared_state import SharedOrOwn

# Requests wait for it.
_TIMEOUTS = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}
# Seconds.
_KEY_EXPIRY = 86_400


@contextlib.contextmanager
def shared_by_processes(settings: Settings) -> Iterator[tuple[Counters, ClientIds, EndedSessions]]:
    """Without Redis, each process has its own. Nothing connects before its first use.

    Raises:
        BadSetting: the settings of Redis cannot be read.
    """
    if not settings.uses_redis:
        yield Counters(), ClientIds(), EndedSessions()
        return
    from limits.errors import StorageError
    from limits.storage import RedisStorage

    from podium.jobs.messages.redis_broker import connect
    from podium.jobs.messages.redis_queues import NAMESPACE

    name = f"{NAMESPACE}:client-key"
    with connect(settings, **_TIMEOUTS) as client:

        def agree(key: bytes) -> bytes:
            ask = client.pipeline(transaction=True)
            ask.set(name, key, nx=True, ex=_KEY_EXPIRY)
            ask.get(name)
            with _wrapped():
                agreed: Any = ask.execute()[1]
            return bytes(agreed)

        def note_ended(session: str, seconds: int) -> None:
            with _wrapped():
                client.set(f"{NAMESPACE}:ended-session:{session}", b"", ex=seconds)

        def is_ended(session: str) -> bool:
            with _wrapped():
                return bool(client.exists(f"{NAMESPACE}:ended-session:{session}"))

        storage = RedisStorage(
            "redis://",
            connection_pool=client.connection_pool,
            key_prefix=f"{NAMESPACE}:limits",
            wrap_exceptions=True,
        )
        either = SharedOrOwn(StorageError)
        yield Counters(storage, either), ClientIds(agree, either), EndedSessions(note_ended, is_ended, either)


@contextlib.contextmanager
def _wrapped() -> Iterator[None]:
    """Wrap errors of Redis as the counters wrap theirs."""
    import redis
    from limits.errors import StorageError

    try:
        yield
    except redis.RedisError as error:
        raise StorageError(error) from error
