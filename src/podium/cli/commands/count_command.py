"""``podium _count``: the child process of a server or a worker that counts repositories."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from collections.abc import Mapping

from podium.app.processes.count_process import count_each
from podium.app.startup import prepare_process
from podium.settings import Settings
from podium.workers.child import orders
from podium.workers.counting_pool import OUT_OF_MEMORY


def run(_options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    stop = threading.Event()
    # First: an order that came before must be given back from here on.
    incoming = orders(stop)
    os.nice(10)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.excepthook = _end_without_memory
    settings = Settings.from_environment(environment)
    prepare_process(settings)
    try:
        count_each(settings, incoming, stop)
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


def _end_without_memory(error: threading.ExceptHookArgs) -> None:
    """Without its other threads, such as the lease's, the count cannot continue."""
    if issubclass(error.exc_type, MemoryError):
        os._exit(OUT_OF_MEMORY)
    threading.__excepthook__(error)
