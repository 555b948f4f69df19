from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Self

from podium.errors import PodiumError
from podium.telemetry.outage_log import OutageLog

log = logging.getLogger(__name__)


class Periodic:
    """Calls ``do`` in its own thread, from :meth:`start` (or ``with``) until :meth:`stop`.

    No error that ``do`` raises ends the thread: its work would stay undone until the process is started again. An error
    that is not a :class:`PodiumError` is logged, once if it repeats.

    Args:
        seconds: between the end of a call and the next call.
        at_once: make the first call immediately.
        retry_seconds: replaces ``seconds`` after a call that raised.
        outage_log: logs repeated errors once; None: no log.
    """

    def __init__(
        self,
        name: str,
        seconds: float,
        do: Callable[[], object],
        *,
        at_once: bool = False,
        retry_seconds: float | None = None,
        outage_log: OutageLog | None = None,
    ) -> None:
        self._seconds = seconds
        self._do = do
        self._pause = 0.0 if at_once else seconds
        self._retry_seconds = seconds if retry_seconds is None else retry_seconds
        self._outage_log = outage_log
        self._unexpected = ""
        self._stop = threading.Event()
        # A hanging call does not keep the process alive.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, *, wait: bool = True) -> None:
        self._stop.set()
        if wait and self._thread.is_alive():
            self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stop.wait(self._pause):
            try:
                self._do()
            except PodiumError as error:
                self._pause = self._retry_seconds
                if self._outage_log is not None:
                    self._outage_log.failed(error)
            except Exception as error:
                self._pause = self._retry_seconds
                if repr(error) != self._unexpected:
                    log.exception("%s: unexpected error", self._thread.name)
                self._unexpected = repr(error)
            else:
                self._pause = self._seconds
                self._unexpected = ""
                if self._outage_log is not None:
                    self._outage_log.succeeded()
