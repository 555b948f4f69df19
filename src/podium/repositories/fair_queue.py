"""The order in which repositories are counted: no client's second repository comes before another client's first.

Start-time fair queueing (Goyal, Vin and Cheng, 1996): a new submission's virtual start is one later than the client's
last waiting one, and no earlier than the first of all waiting ones. Workers take repositories by virtual start: a
single submission is next to the first of another client's thousand.

An IPv6 client can have many addresses, so its id also names the wider network around it (:func:`client_id`). Of one
wider network, no more than :data:`NETWORK_SHARE` repositories have the same virtual start.

A repository that the schedule has counted again starts after everyone's, at :data:`SCHEDULED_FROM` and the moment of
its check. One that has waited for :data:`PATIENCE` seconds gets a turn among the others, one at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

# The clients of one wider network together get this many times what one client gets.
NETWORK_SHARE = 4
# No count of submissions gets there.
SCHEDULED_FROM = 1e12
PATIENCE = 3600.0

_SEPARATOR = "-"


def client_id(name: str, wider: str | None) -> str:
    """``name``: of the client, ``wider``: of the network around it; both without a hyphen."""
    return name if wider is None else f"{wider}{_SEPARATOR}{name}"


# What the ids of the clients of pushes begin with.
HOOKS = "hook:"


def hook_client(host: str, owner: str) -> str:
    """The pushes of one owner have the turns of one client: a busy organisation does not delay others."""
    return HOOKS + hashlib.blake2s(f"{host}/{owner}".encode(), digest_size=8).hexdigest()


def wider_prefix(client: str | None) -> str | None:
    """What the ids of all clients of the same wider network begin with; None without one."""
    wider, separator, _ = (client or "").partition(_SEPARATOR)
    return wider + separator if separator else None


def first_not_full(start: float, full: Collection[float]) -> float:
    """The first virtual start at or after ``start`` that is not ``full``."""
    while start in full:
        start += 1
    return start
