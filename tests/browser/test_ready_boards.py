"""Small boards in a browser: nothing goes wrong, and axe finds nothing, whatever is on them."""

from __future__ import annotations

import pytest

from tests.support.browser import Watched, violations
from tests.support.ready_boards import SMALL, ReadyBoards


@pytest.mark.parametrize("name", SMALL)
def test_small_boards_have_no_faults(boards: ReadyBoards, window: Watched, name: str) -> None:
    page = window.page(boards.page(name))
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
