"""Whose turn it is to be counted: every client's next before anybody's second.

Start-time fair queueing (Goyal, Vin and Cheng, 1996): what is submitted gets a turn that is one later than the last of
the same client that still waits, and no earlier than the first of anybody's that waits. Workers take what waits in the
order of turns (:func:`podium.jobs.lease.grab_next`): a thousand submissions of one client stand one behind the other,
and somebody else's single one beside the first of them.
"""

from __future__ import annotations

import hashlib
import secrets

from podium.storage.session import Session

# What waits for a fault to pass, or is being counted for an hour, does not hold the others' turns back.
_NEXT = """
SELECT MAX(virtual_start) AS virtual_start FROM (
    SELECT MIN(virtual_start) AS virtual_start FROM repository
    WHERE state IN ('pending', 'commits_processing') AND host <> ''
        AND (lease_until IS NULL OR lease_until < {now}) AND (not_before IS NULL OR not_before <= {now})
    UNION ALL
    SELECT MAX(virtual_start) + 1 FROM repository
    WHERE client_id = :client_id AND state IN ('pending', 'commits_processing')
) AS starts
"""


def next_virtual_start(session: Session, client_id: str | None) -> float:
    """The turn of what ``client_id`` submits now; nobody's (None) is the first of all."""
    return float(session.value(_NEXT, client_id=client_id) or 0.0)


class ClientIds:
    """What clients are called in the database while something of theirs waits.

    The names are made with a key that is nowhere kept: they tell clients apart, and no address can be read from them.
    Each process has its own, so that a client of several of them has as many turns.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)

    def name(self, client: str) -> str:
        """The name of a client."""
        return hashlib.blake2b(client.encode(), key=self._key, digest_size=8).hexdigest()
