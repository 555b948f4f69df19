"""Worker processes that are started again when they die, whatever ends them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping

from podium.errors import QueueError
from podium.telemetry import metrics_pipe
from podium.workers import child

log = logging.getLogger(__name__)

# Seconds that a worker which is told to stop has to finish or hand back what is in hand.
GRACE = 9.0
# Seconds before one that died is started again: after one that could not even begin, each time twice as many.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
LONG = 2.0

# What a person must mend: starting again would not help.
_USERS_FAULT = 2


class Crew:
    """So many processes of ``podium ARGUMENTS`` at a time.

    Args:
        arguments, environment: see :func:`podium.workers.child.run`.
        processes: how many.
        stop: ends them when it is set.
        once: each of them ends by itself when it has nothing left to do, with 0, or with 1 where something failed.
    """

    def __init__(
        self,
        arguments: list[str],
        environment: Mapping[str, str],
        processes: int,
        stop: threading.Event,
        *,
        once: bool,
    ) -> None:
        self._arguments = arguments
        self._environment = environment
        self._stop = stop
        self._once = once
        self._at_work: set[int] = set()
        self._statuses: list[int] = []
        self._threads = [
            threading.Thread(target=self._keep, args=(number,), name=f"worker-{number}") for number in range(processes)
        ]

    def run(self) -> int:
        """Keep them at work until they are told to stop or have nothing left to do; give the exit code for all."""
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        return max(self._statuses, default=0)

    def check(self) -> None:
        """Return when one of them is at work.

        Raises:
            QueueError: none is.
        """
        if not self._at_work:
            raise QueueError("No worker process is running at this moment: look at the log.")

    def _keep(self, number: int) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            started = time.monotonic()
            self._at_work.add(number)
            status = child.run(self._arguments, self._environment, self._stop, _count, grace=GRACE)
            self._at_work.discard(number)
            if self._is_last(status):
                return
            pause = FIRST_PAUSE if time.monotonic() - started > LONG else min(LONGEST_PAUSE, 2 * pause)
            log.warning("worker process %d ended with status %d: starting it again in %.1f s", number, status, pause)
            self._stop.wait(pause)

    def _is_last(self, status: int) -> bool:
        if status == _USERS_FAULT:
            self._statuses.append(status)
            self._stop.set()
        elif self._once and status in (0, 1):
            self._statuses.append(status)
        elif status != 0:
            return self._stop.is_set()
        return True


def _count(line: bytes) -> None:
    """What a worker counts, counted here too."""
    metrics_pipe.hear(line, None)
