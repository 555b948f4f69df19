"""A count stops at a signal, or when its lease is lost: also while a save is retried."""

from __future__ import annotations

import threading

import pytest

from podium.counting.stop_signal import StopSignal
from podium.errors import StorageError
from podium.storage.transactions.retry_transaction import retry_transaction


@pytest.mark.parametrize("cause", [0, 1])
def test_a_wait_ends_when_either_event_is_set(cause: int) -> None:
    events = threading.Event(), threading.Event()
    signal = StopSignal(*events)
    assert not signal.is_set() and not signal.wait(0)
    threading.Timer(0.01, events[cause].set).start()
    # Without a timeout: this returns because the event is set, or never.
    assert signal.wait() is True
    assert signal.is_set()


def test_a_stop_during_a_save_ends_its_retries() -> None:
    stop, tries = threading.Event(), []

    def save() -> None:
        tries.append(1)
        stop.set()
        raise StorageError("away")

    with pytest.raises(StorageError):
        retry_transaction(save, StopSignal(stop, threading.Event()))
    assert len(tries) == 1
