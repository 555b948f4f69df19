"""Transactions that the database breaks off are tried again."""

from __future__ import annotations

import threading

import pytest

from podium.errors import StorageError
from podium.storage.transactions.retry_transaction import LONGEST_PAUSE, TOTAL, retry_transaction


class Ticking(threading.Event):
    """Waits in no time."""

    now = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0
        return False


def test_a_database_that_stays_away_is_given_up_after_a_while() -> None:
    stop, calls = Ticking(), [0]

    def do() -> None:
        calls[0] += 1
        stop.now += 1
        raise StorageError("away")

    with pytest.raises(StorageError, match="away"):
        retry_transaction(do, stop, clock=lambda: stop.now)
    assert TOTAL - LONGEST_PAUSE <= stop.now <= TOTAL + 2
    assert calls[0] < 15


def test_a_transaction_is_tried_again_unless_stopped() -> None:
    calls: list[int] = []

    def do() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise StorageError("broken off")
        return 7

    assert retry_transaction(do, threading.Event()) == 7
    stopped = threading.Event()
    stopped.set()
    calls.clear()
    with pytest.raises(StorageError):
        retry_transaction(do, stopped)
    assert len(calls) == 1
