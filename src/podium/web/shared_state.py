"""What the API's processes share in Redis, and what each does alone while Redis is away."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from podium.telemetry.outage_log import OutageLog

T = TypeVar("T")

# Seconds without a request to Redis after one failed: no client waits for its timeouts meanwhile.
PAUSE = 5.0

log = logging.getLogger(__name__)


class SharedOrOwn:
    """Asks what is shared, or this process alone if that fails. An outage is logged once.

    Args:
        fault: the error of what is shared.
    """

    def __init__(self, fault: type[Exception], clock: Callable[[], float] = time.monotonic) -> None:
        self._fault = fault
        self._clock = clock
        self._resume_at = -PAUSE
        self._outage = OutageLog(
            log, "limits and turns hold in each API process alone", "limits and turns hold across API processes again"
        )

    def ask(self, shared: Callable[[], T], own: Callable[[], T]) -> T:
        if self._clock() < self._resume_at:
            return own()
        try:
            answer = shared()
        except self._fault as error:
            self._resume_at = self._clock() + PAUSE
            self._outage.failed(error)
            return own()
        self._outage.succeeded()
        return answer
