"""Transactions that the database breaks off are tried again."""

from __future__ import annotations

import threading

import pytest

from podium.errors import StorageError
from podium.storage.retry_transaction import retry_transaction


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
