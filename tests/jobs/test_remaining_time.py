from __future__ import annotations

import itertools

import pytest

from podium.jobs.remaining_time import RemainingTime


def shown(shares: list[float]) -> list[float | None]:
    """The estimate after each second."""
    remaining, seen = RemainingTime(), []
    for second, share in enumerate(shares):
        remaining.note(float(second), share)
        seen.append(remaining.seconds(float(second)))
    return seen


def test_even_work_has_an_exact_estimate_after_some_seconds() -> None:
    seen = shown([second / 100 for second in range(60)])
    assert seen[:4] == [None] * 4
    assert seen[10:] == [pytest.approx(100 - second) for second in range(10, 60)]


def test_work_of_changing_speed_has_a_smooth_estimate_or_none() -> None:
    seen = shown([second / 100 for second in range(20)] + [0.2 + second / 500 for second in range(200)])
    pairs = [(now, later) for now, later in itertools.pairwise(seen) if now is not None and later is not None]
    assert max(abs(later - now) / now for now, later in pairs) < 0.2
    assert seen[-1] == pytest.approx(500 * 0.402, rel=0.1)


def test_work_that_stands_still_or_jumps_has_no_estimate() -> None:
    assert shown([0.3] * 20) == [None] * 20
    assert shown([0.0, 0.5] + [0.5] * 18)[10:] == [None] * 10
    assert shown([0.1, 0.2, 0.1, 0.2, 0.1, 0.2]) == [None] * 6
