"""``--reload``: the command as a child process, started again whenever Podium's own files change. For development."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import podium
from podium.workers import child
from podium.workers.supervisor import GRACE

LOOK_EVERY = 0.5
_SOURCE = Path(podium.__file__).parent


def run_reloading(arguments: list[str]) -> int:
    """Run ``podium ARGUMENTS`` until told to stop."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        seen, changed = _versions(), threading.Event()
        running = threading.Thread(target=child.run, args=(arguments, {}, changed), kwargs={"grace": GRACE})
        running.start()
        # One that ends by itself, over a mistake in what was just written, waits for the next change too.
        while not stop.wait(LOOK_EVERY) and _versions() == seen:
            pass
        changed.set()
        running.join()
    return 0


def _versions() -> dict[Path, int]:
    """When each of Podium's files was last written."""
    return {path: path.stat().st_mtime_ns for path in _SOURCE.rglob("*") if path.suffix != ".pyc" and path.is_file()}
