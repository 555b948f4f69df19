"""How long transactions may take. Each transaction sets its own limits: sessions keep none, so they may be pooled."""

from __future__ import annotations

import dataclasses

# Seconds to wait for a locked row, for a connection, and for the answer to a BEGIN, which a pooler may hold back.
BUSY_TIMEOUT = 15.0
# Seconds after which the server ends a transaction whose client does nothing: it keeps a repository's row locked.
IDLE_IN_TRANSACTION = 60.0
# Seconds that a client waits longer for an answer than the server should take.
GRACE = 5.0


@dataclasses.dataclass(frozen=True, slots=True)
class TimeLimit:
    """Time limits of a transaction, in seconds.

    Attributes:
        statement: of each statement, by the server.
        total: of the whole transaction with the wait for a connection, by the client; None: no limit.
        begin: of the wait for a connection, and of that for the answer to BEGIN. A new connection has two at least.
    """

    statement: float
    total: float | None = None
    begin: float = BUSY_TIMEOUT


# A few rows for a client that waits. A probe that waits for them too gives up after three seconds or more.
QUICK = TimeLimit(1.5, 2.0, 1.0)
# One step of a large change, or everything that one board needs.
NORMAL = TimeLimit(120.0)
# Whole tables.
LONG = TimeLimit(3600.0)
