"""How tests are distributed where several processes run them."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def shared() -> object:
    return object()


@pytest.fixture
def side_by_side(request: pytest.FixtureRequest) -> bool:
    return hasattr(request.config, "workerinput")


def test_tests_that_share_a_fixture_stay_together(
    request: pytest.FixtureRequest, side_by_side: bool, shared: object
) -> None:
    # What pytest-xdist reads.
    assert request.node.nodeid.endswith("@tests/test_side_by_side.py") == side_by_side


def test_those_that_wait_begin_first(request: pytest.FixtureRequest, side_by_side: bool) -> None:
    if side_by_side:
        waits = [item.get_closest_marker("server") is not None for item in request.session.items]
        browsers = [item.get_closest_marker("browser") is not None for item in request.session.items]
        assert browsers == sorted(browsers, reverse=True)
        assert waits[sum(browsers) :] == sorted(waits[sum(browsers) :], reverse=True)
