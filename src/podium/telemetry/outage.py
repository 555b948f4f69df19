"""Trouble that lasts: said once when it begins, and once more when it is over."""

from __future__ import annotations

import logging


class Outage:
    """What somebody who tries again every few seconds says about it.

    Args:
        log: where to.
        begins, ends: how the two lines begin: ``the reconciler waits``, ``the reconciler goes on``.
    """

    def __init__(self, log: logging.Logger, begins: str, ends: str) -> None:
        self._log = log
        self._begins = begins
        self._ends = ends
        self._said = ""

    def lasts(self, error: Exception) -> None:
        """Note a failure; it is said unless the one before was the same."""
        if str(error) != self._said:
            self._log.warning("%s: %s", self._begins, error)
        self._said = str(error)

    def is_over(self) -> None:
        """Note a success."""
        if self._said:
            self._log.info("%s", self._ends)
        self._said = ""
