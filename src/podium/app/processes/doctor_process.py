"""``podium doctor`` for the administration page: a process of its own, so that no check slows or harms the server."""

from __future__ import annotations

import json
import threading
from typing import Any

from podium.app.processes.child_environment import doctor_environment
from podium.errors import PodiumError
from podium.settings import Settings
from podium.workers import child

# Seconds until the process is stopped.
DEADLINE = 30.0

# Seconds for its checks, which no one waits for at a terminal.
_WAIT = 20
_GRACE = 1.0


def findings(settings: Settings) -> list[dict[str, Any]]:
    """Run the checks, and return what ``podium doctor --json`` prints as ``findings``.

    Raises:
        PodiumError: the process did not answer in time.
    """
    pieces: list[bytes] = []
    stop = threading.Event()
    timer = threading.Timer(DEADLINE, stop.set)
    timer.daemon = True
    timer.start()
    try:
        child.run(
            ["doctor", "--json", "--wait", str(_WAIT)], doctor_environment(settings), stop, pieces.append, grace=_GRACE
        )
    finally:
        timer.cancel()
    try:
        found: list[dict[str, Any]] = json.loads(b"".join(pieces))["findings"]
    except (ValueError, KeyError, TypeError):
        raise PodiumError("`podium doctor` has not answered: run it on the server.") from None
    return found
