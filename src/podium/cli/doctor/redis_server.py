"""Check Redis (or Valkey): whether it keeps messages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import redis

from podium.cli.doctor.findings import Finding, ok, problem, warning
from podium.jobs.messages.redis_broker import connect
from podium.jobs.messages.redis_queues import NAMESPACE, redis_errors
from podium.settings import Settings

# Tested with Valkey 9; 6.2 is the oldest that Dramatiq and redis-py are tested with.
OLDEST = (6, 2)
# Part of maxmemory. Nothing is evicted, so a full Redis refuses new messages.
NEARLY_FULL = 0.9
# Keys that are scanned for other users of the database.
_LOOKED_AT = 1000


def server(settings: Settings, **timeouts: float) -> Iterator[Finding]:
    """Check the Redis of the settings.

    Raises:
        QueueError: it cannot be used at all.
    """
    client = connect(settings, **timeouts)
    try:
        with redis_errors(client):
            info: Mapping[str, Any] = client.info("everything")
            save = _configured(client, "save")
            strangers = _strangers(client)
    finally:
        client.close()
    yield from version(info)
    yield from _policy(info)
    yield from _persistence(info, save)
    if info.get("role") == "slave":
        yield problem("redis", "This is a replica, which accepts no writes.", "Name the primary in REDIS_URL.")
    if strangers:
        yield warning(
            "redis",
            f"Other programs keep keys in the same database, such as {strangers[0][:60]!r}.",
            "Give Podium a database of its own (redis://HOST/1): it scans all keys.",
        )


def _configured(client: redis.Redis, name: str) -> str | None:
    """None: a managed server does not allow CONFIG."""
    try:
        found: Any = client.config_get(name)
    except redis.ResponseError:
        return None
    value: str | None = found.get(name)
    return value


def _strangers(client: redis.Redis) -> list[str]:
    keys: Any = client.scan(count=_LOOKED_AT)[1]
    names = (key.decode(errors="replace") for key in keys)
    return sorted(name for name in names if not name.startswith(f"{NAMESPACE}:"))


def version(info: Mapping[str, Any]) -> Iterator[Finding]:
    # Valkey reports the Redis version that it is compatible with, and its own.
    number, own = str(info.get("redis_version", "")), info.get("valkey_version")
    name = f"Valkey {own}" if own else f"Redis {number}"
    version = tuple(int(part) for part in re.findall(r"\d+", number)[:2])
    if version < OLDEST:
        yield problem("redis", f"{name} is too old.", "Update it: Redis 6.2 is the oldest that works.")
    else:
        yield ok("redis", name)


def _policy(info: Mapping[str, Any]) -> Iterator[Finding]:
    policy, most, used = str(info.get("maxmemory_policy", "")), int(info["maxmemory"]), int(info["used_memory"])
    if policy != "noeviction" and most:
        yield problem(
            "redis",
            f"maxmemory-policy is {policy}: when memory is full, it deletes messages, and parts of them.",
            "Set maxmemory-policy to noeviction.",
        )
    elif policy != "noeviction":
        yield warning(
            "redis",
            f"maxmemory-policy is {policy}; there is no maxmemory, so nothing is deleted yet.",
            "Set maxmemory-policy to noeviction, before maxmemory is set.",
        )
    elif most and used > NEARLY_FULL * most:
        yield problem(
            "redis",
            f"{used / most:.0%} of its memory is used; when it is full, it refuses new messages.",
            "Raise maxmemory. Ten thousand waiting repositories need about 10 MB.",
        )
    else:
        yield ok("redis", "maxmemory-policy noeviction")


def _persistence(info: Mapping[str, Any], save: str | None) -> Iterator[Finding]:
    append = bool(int(info.get("aof_enabled", 0)))
    broken = [name for name in ("rdb_last_bgsave_status", "aof_last_write_status") if info.get(name, "ok") != "ok"]
    if broken:
        yield problem(
            "redis",
            f"It cannot save to its disk ({', '.join(broken)}), and may refuse writes because of that.",
            "Check its log: its disk may be full.",
        )
    elif append or save:
        yield ok("redis", f"keeps its data ({'append-only file' if append else 'snapshots'})")
    elif save == "":
        yield warning(
            "redis",
            "It keeps nothing across a restart.",
            "No work is lost, because the database has it, but it is enqueued again only step by step. "
            "`appendonly yes` avoids that.",
        )
    else:
        yield ok("redis", "does not show whether it keeps its data")
