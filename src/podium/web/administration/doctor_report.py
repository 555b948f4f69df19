from __future__ import annotations

import concurrent.futures
import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from podium.errors import PodiumError

log = logging.getLogger(__name__)

# Seconds from the end of one examination to the start of the next, and for which a page waits for the first.
EVERY = 60.0
PATIENCE = 3.0

Findings = Sequence[Mapping[str, Any]]


@dataclasses.dataclass(frozen=True, slots=True)
class DoctorResult:
    """``fault``: why there are no findings. ``at``: by the clock of :class:`DoctorReport`."""

    at: float
    findings: Findings = ()
    fault: str | None = None


class DoctorReport:
    """The latest findings of ``podium doctor``, examined again when a page is read. Thread-safe; one examination at a
    time.
    """

    def __init__(self, examine: Callable[[], Findings], clock: Callable[[], float] = time.monotonic) -> None:
        self._examine = examine
        self._clock = clock
        self._lock = threading.Lock()
        self._latest: DoctorResult | None = None
        self._running: concurrent.futures.Future[None] | None = None

    def latest(self, patience: float = PATIENCE) -> tuple[DoctorResult | None, float]:
        """The latest examination and its age in seconds; None if none has ended within ``patience`` seconds."""
        with self._lock:
            is_old = self._latest is None or self._clock() - self._latest.at >= EVERY
            if self._running is None and is_old:
                self._running = concurrent.futures.Future()
                threading.Thread(target=self._run, args=(self._running,), name="doctor", daemon=True).start()
            running, latest = self._running, self._latest
        if running is not None and latest is None:
            concurrent.futures.wait([running], timeout=patience)
        with self._lock:
            found = self._latest
            return found, 0.0 if found is None else self._clock() - found.at

    def _run(self, running: concurrent.futures.Future[None]) -> None:
        try:
            found = DoctorResult(self._clock(), self._examine())
        except PodiumError as error:
            found = DoctorResult(self._clock(), fault=error.message)
        except Exception:
            log.exception("the administration page has no findings of doctor")
            found = DoctorResult(self._clock(), fault="It could not be run: the server's log says why.")
        with self._lock:
            self._latest = dataclasses.replace(found, at=self._clock())
            self._running = None
        running.set_result(None)
