"""The order in which repositories are counted: no client's second repository comes before another client's first.

Start-time fair queueing (Goyal, Vin and Cheng, 1996): a new submission's virtual start is one later than the client's
last waiting one, and no earlier than the first of all waiting ones. Workers take repositories by virtual start: a
single submission is next to the first of another client's thousand.
"""

from __future__ import annotations

import hashlib
import secrets


class ClientIds:
    """Names clients in the database while their repositories wait.

    Each process has its own unsaved key for the names, so they reveal no address.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)

    def name(self, client: str) -> str:
        return hashlib.blake2b(client.encode(), key=self._key, digest_size=8).hexdigest()
