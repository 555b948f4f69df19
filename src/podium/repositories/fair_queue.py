"""The order in which repositories are counted: no client's second repository comes before another client's first.

Start-time fair queueing (Goyal, Vin and Cheng, 1996): what a client submits gets a virtual start that is one later than
the last of the same client that still waits, and no earlier than the first of all that wait
(:func:`podium.repositories.store.schedule.next_virtual_start`). Workers take repositories in the order of virtual
starts (:func:`podium.jobs.lease.grab_next`): a thousand submissions of one client stand one behind the other, and a
single one of another client stands beside the first of them.
"""

from __future__ import annotations

import hashlib
import secrets


class ClientIds:
    """Names for clients in the database while their repositories wait.

    The names are made with a key that is not saved: they tell clients apart, but reveal no address. Each process has a
    key of its own, so a client of several processes counts as several.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)

    def name(self, client: str) -> str:
        """The name of a client."""
        return hashlib.blake2b(client.encode(), key=self._key, digest_size=8).hexdigest()
