"""Log a lasting fault once when it begins and once when it ends."""

from __future__ import annotations

import logging


class OutageLog:
    """Keeps a caller that retries every few seconds from logging each failure.

    ``begins`` and ``ends`` start the two lines, such as ``the reconciler waits`` and ``the reconciler continues``.
    """

    def __init__(self, log: logging.Logger, begins: str, ends: str) -> None:
        self._log = log
        self._begins = begins
        self._ends = ends
        self._reported = ""

    def failed(self, error: Exception) -> None:
        if str(error) != self._reported:
            self._log.warning("%s: %s", self._begins, error)
        self._reported = str(error)

    def succeeded(self) -> None:
        if self._reported:
            self._log.info("%s", self._ends)
        self._reported = ""
