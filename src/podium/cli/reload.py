"""``--reload``, for development: restart the command when a file of Podium changes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import watchfiles

import podium
from podium.workers import child
from podium.workers.supervisor import GRACE

_SOURCE = Path(podium.__file__).parent


def run_reloading(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run ``podium WORDS`` without ``--reload`` until stopped; return the exit code."""
    arguments = [*(word for word in words if word != "--reload"), "--child"]
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    changes = watchfiles.watch(_SOURCE, stop_event=stop, raise_interrupt=False)
    while not stop.is_set():
        changed = threading.Event()
        running = threading.Thread(target=child.run, args=(arguments, environment, changed), kwargs={"grace": GRACE})
        running.start()
        # A child that fails to start, because of a mistake in a file, waits here for the next change.
        next(changes, None)
        changed.set()
        running.join()
    return 0
