"""Report a fault that lasts: one line when it begins, one when it ends."""

from __future__ import annotations

import logging


class OutageLog:
    """Keeps a caller that retries every few seconds from logging each failure.

    Args:
        log: the logger.
        begins, ends: how the two lines begin, such as ``the reconciler waits`` and ``the reconciler goes on``.
    """

    def __init__(self, log: logging.Logger, begins: str, ends: str) -> None:
        self._log = log
        self._begins = begins
        self._ends = ends
        self._reported = ""

    def failed(self, error: Exception) -> None:
        """Log a failure, unless the last one was the same."""
        if str(error) != self._reported:
            self._log.warning("%s: %s", self._begins, error)
        self._reported = str(error)

    def succeeded(self) -> None:
        """Log the end of an outage, if there was one."""
        if self._reported:
            self._log.info("%s", self._ends)
        self._reported = ""
