"""Pages without a board or with a refused rule, in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.browser import Watched, violations
from tests.support.ready_boards import ReadyBoards


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_without_a_board_have_no_accessibility_errors(boards: ReadyBoards, window: Watched, scheme: str) -> None:
    page = window.page(boards.page("one"))
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    boards.server.submit(boards.url("missing"))
    boards.server.wait_for(boards.url("missing"), "failed")
    page.goto(boards.base + boards.path("missing"))
    expect(page.get_by_label("Correct the address")).to_have_value(boards.url("missing"))
    assert violations(page) == []
    page.goto(boards.base + boards.page("one"))
    page.locator("#window-chip > summary").click()
    page.locator("#since").fill("sometime")
    page.keyboard.press("Enter")
    expect(page.locator("#refused")).to_contain_text("since: ")
    assert violations(page) == []
    # Chromium reports each answer of 400 itself.
    [refused] = window.wrongs
    assert "400" in refused
    window.wrongs.clear()
