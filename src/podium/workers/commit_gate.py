"""Decides whether this process may take repositories to count: not while its machine cannot count them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from podium.jobs.periodic import Periodic

log = logging.getLogger(__name__)

# Seconds between two checks while the gate is closed.
EVERY = 5.0


class CommitGate:
    """Lets this process take repositories to count while its machine can count them.

    Args:
        check: says what keeps this machine from counting; None: nothing.
        on_open: called when the gate opens again; may raise PodiumError, and is then called again.
    """

    def __init__(self, check: Callable[[], str | None], on_open: Callable[[], None]) -> None:
        self.closed = threading.Event()
        self.problem: str | None = None
        self._check = check
        self._on_open = on_open
        self._lock = threading.Lock()
        self._periodic = Periodic("commit-gate", EVERY, self._look_again)

    def start(self) -> None:
        self.look()
        self._periodic.start()

    def stop(self) -> None:
        self._periodic.stop()

    def look(self) -> None:
        """Check the machine now, and close or open the gate.

        Raises:
            PodiumError: by ``on_open``; the gate stays closed.
        """
        with self._lock:
            problem = self._check()
            if problem is not None:
                if problem != self.problem:
                    log.warning("counting is suspended on this machine: %s", problem)
                self.problem = problem
                self.closed.set()
            elif self.closed.is_set():
                self._on_open()
                self.problem = None
                self.closed.clear()
                log.warning("repositories are counted here again")

    def _look_again(self) -> None:
        if self.closed.is_set():
            self.look()
