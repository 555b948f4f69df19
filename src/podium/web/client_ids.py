from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

from podium.errors import QueueError
from podium.repositories.fair_queue import client_id
from podium.web.clients import ClientNetwork
from podium.web.shared_state import SharedOrOwn


class ClientIds:
    """Names clients in the database while their repositories wait.

    The names depend on a key that is not in the database, so they reveal no address.

    Args:
        agree: takes this process' key and returns the one that all processes use. Without it each process has its own.
        either: for the errors of ``agree``.
    """

    def __init__(self, agree: Callable[[bytes], bytes] | None = None, either: SharedOrOwn | None = None) -> None:
        self._key = secrets.token_bytes(16)
        self._agree = agree
        self._either = either or SharedOrOwn(QueueError)

    def of(self, client: ClientNetwork) -> str:
        """The client's id for :mod:`podium.repositories.fair_queue`. It may wait for Redis."""
        agree, key = self._agree, self._key
        if agree is not None:
            key = self._key = self._either.ask(lambda: agree(key), lambda: key)
        return client_id(_name(key, client.key), client.wider_key and _name(key, client.wider_key))


def _name(key: bytes, text: str) -> str:
    return hashlib.blake2b(text.encode(), key=key, digest_size=8).hexdigest()
