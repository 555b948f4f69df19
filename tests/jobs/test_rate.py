from __future__ import annotations

from podium.jobs.rate import RateEstimator


def test_a_rate_needs_two_samples_of_one_piece_of_work() -> None:
    estimator = RateEstimator()
    estimator.note(0.0, 1000)
    assert estimator.rate() is None
    estimator.note(2.0, 3000)
    assert estimator.rate() == 1000.0
    # It starts from zero, as after a worker crashed.
    estimator.note(3.0, 0)
    assert estimator.rate() is None


def test_a_rate_is_that_of_the_last_half_minute() -> None:
    estimator = RateEstimator()
    for second in range(0, 100, 2):
        estimator.note(float(second), min(second * 2, 60))
    assert estimator.rate() is None
    estimator.note(100.0, 75)
    assert estimator.rate() == 0.5
