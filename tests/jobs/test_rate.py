from __future__ import annotations

import pytest

from podium.jobs.rate import RateEstimator
from podium.jobs.rate_cache import RateEstimators


def test_a_rate_needs_two_samples_of_one_phase() -> None:
    estimator = RateEstimator()
    counting = {"stage": "commits", "phase": "counting"}
    estimator.note(0.0, {**counting, "commits": 1000})
    assert estimator.rate() is None
    estimator.note(2.0, {**counting, "commits": 3000})
    assert estimator.rate() == 1000.0
    progress = {**counting, "commits": 3000}
    assert estimator.seconds_left(progress) is None
    assert estimator.seconds_left(progress, 13_000) == 10.0
    assert estimator.seconds_left(progress, 3_000) is None
    estimator.note(3.0, {"stage": "users", "done": 0, "total": 100})
    assert estimator.rate() is None
    estimator.note(5.0, {"stage": "users", "done": 10, "total": 100})
    assert estimator.seconds_left({"stage": "users", "done": 10, "total": 100}) == 18.0
    # It starts from zero, as after a worker crashed.
    estimator.note(6.0, {"stage": "users", "done": 0, "total": 100})
    assert estimator.rate() is None


def test_the_rate_of_a_clone_is_that_of_its_percentage() -> None:
    estimator = RateEstimator()
    for second in range(0, 100, 2):
        percent = min(second * 2, 60)
        estimator.note(float(second), {"stage": "commits", "phase": "receiving", "percent": percent})
    # The window is half a minute, in which nothing has changed.
    assert estimator.rate() is None
    estimator.note(100.0, {"stage": "commits", "phase": "receiving", "percent": 75})
    left = estimator.seconds_left({"stage": "commits", "phase": "receiving", "percent": 75})
    assert left == pytest.approx(50, rel=0.2)
    estimator.note(101.0, None)
    assert estimator.rate() is None


def test_only_the_latest_repositories_keep_their_estimator() -> None:
    estimators = RateEstimators(size=2)
    progress = {"stage": "users", "done": 0, "total": 9}
    first, second = estimators.note(1, 0.0, progress), estimators.note(2, 0.0, progress)
    assert estimators.note(1, 1.0, progress) is first
    estimators.note(3, 1.0, progress)
    assert estimators.note(1, 2.0, progress) is first
    assert estimators.note(2, 2.0, progress) is not second
