from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from podium.errors import QueueError
from podium.telemetry import metrics_pipe
from podium.workers import child

log = logging.getLogger(__name__)

# Seconds that a stopped worker has to finish or release its jobs.
GRACE = 9.0
# Seconds before a restart; doubled after each run shorter than LONG_RUN seconds.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
LONG_RUN = 2.0

# The exit code for faults that a restart cannot fix, such as a wrong setting.
_EXIT_USAGE = 2


class Supervisor:
    """Keeps a number of processes of ``podium ARGUMENTS`` running; see :func:`podium.workers.child.run`.

    Args:
        once: the processes end when nothing is left to do, with 0, or with 1 if a repository failed.
        restarts_all: also a process that ended with 0.
        name: of each process, in the log.
        on_line, files: see there.
    """

    def __init__(
        self,
        arguments: list[str],
        environment: Mapping[str, str],
        processes: int,
        stop: threading.Event,
        *,
        once: bool,
        restarts_all: bool = False,
        name: str = "worker process",
        on_line: Callable[[bytes], bytes | None] = lambda line: metrics_pipe.receive(line, None),
        files: Sequence[int] = (),
    ) -> None:
        self._restarts_all = restarts_all
        self._name = name
        self._on_line = on_line
        self._files = files
        self._arguments = arguments
        self._environment = environment
        self._stop = stop
        self._once = once
        self._running: set[int] = set()
        self._statuses: list[int] = []
        self._threads = [
            threading.Thread(target=self._keep_running, args=(number,), name=f"worker-{number}")
            for number in range(processes)
        ]

    def run(self) -> int:
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        return max(self._statuses, default=0)

    def check(self) -> None:
        """Raise QueueError if no process is running."""
        if not self._running:
            raise QueueError("No worker process is running at this moment: look at the log.")

    def _keep_running(self, number: int) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            started = time.monotonic()
            self._running.add(number)
            try:
                status = child.run(
                    self._arguments, self._environment, self._stop, self._on_line, grace=GRACE, files=self._files
                )
                if self._is_last(status):
                    return
                what = f"ended with status {status}: restarting it"
            except (OSError, RuntimeError) as error:
                # The machine lacks memory or processes, such as after the end of this one by lack of memory.
                what = f"cannot be started ({getattr(error, 'strerror', None) or error}): the next try is"
            finally:
                self._running.discard(number)
            pause = FIRST_PAUSE if time.monotonic() - started > LONG_RUN else min(LONGEST_PAUSE, 2 * pause)
            log.warning("%s %d %s in %.1f s", self._name, number, what, pause)
            self._stop.wait(pause)

    def _is_last(self, status: int) -> bool:
        if status == _EXIT_USAGE:
            self._statuses.append(status)
            self._stop.set()
        elif self._once and status in (0, 1):
            self._statuses.append(status)
        elif status != 0 or self._restarts_all:
            return self._stop.is_set()
        return True
