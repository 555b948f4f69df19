"""A connection to PostgreSQL that does not wait for ever: a server that hangs accepts connections and never answers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg.adapt import Loader
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row

from podium.storage.transactions.time_limits import BUSY_TIMEOUT

if TYPE_CHECKING:
    from psycopg.abc import PQGen

T = TypeVar("T")


class ServerSilent(psycopg.OperationalError):
    """The server did not answer in time."""


class BoundedConnection(psycopg.Connection[DictRow]):
    """Closes itself when an answer is late: it may still come, and must not be taken for that of the next statement.

    Attributes:
        answer_seconds: for each answer.
        ends_at: on the clock of ``time.monotonic``, for all of them.
    """

    answer_seconds: float = BUSY_TIMEOUT
    ends_at: float = float("inf")

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        seconds = min(self.answer_seconds if timeout is None else timeout, self.ends_at - time.monotonic())
        try:
            return super().wait(gen, interval, max(0.0, seconds))
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()
            raise ServerSilent(f"it did not answer within {max(0.0, seconds):.1f} seconds") from None


def connect(conninfo: str, seconds: float | None = None) -> BoundedConnection:
    """Connect without any state of a session.

    Args:
        seconds: at most for each server that the URL names; None: as the URL says.
    """
    limited = conninfo if seconds is None else make_conninfo(conninfo, connect_timeout=max(1, int(seconds)))
    # Not prepared: no plan fits both the largest and the smallest repository, and a pooler may not know them.
    connection = BoundedConnection.connect(limited, autocommit=True, row_factory=dict_row, prepare_threshold=None)
    connection.adapters.register_loader("numeric", _Numbers)
    return connection


class _Numbers(Loader):
    """PostgreSQL sums bigint as numeric; whole numbers become int, as in SQLite."""

    def load(self, data: Any) -> int | float:
        text = bytes(data)
        return int(text) if text.lstrip(b"-").isdigit() else float(text)
