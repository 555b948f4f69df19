from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from cachetools import LRUCache

from podium.jobs.rate import RateEstimator


class RateEstimators:
    """The estimators of the ``size`` most recently updated repositories. Thread-safe."""

    def __init__(self, size: int = 1_000) -> None:
        self._estimators: LRUCache[int, RateEstimator] = LRUCache(size)
        self._lock = threading.Lock()

    def note(self, repository_id: int, now: float, progress: Mapping[str, Any] | None) -> RateEstimator:
        with self._lock:
            estimator = self._estimators.get(repository_id)
            if estimator is None:
                estimator = self._estimators[repository_id] = RateEstimator()
            estimator.note(now, progress)
        return estimator
