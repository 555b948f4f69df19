"""The reference of the API, in a browser."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import violations, watched
from tests.support.ready_boards import ReadyBoards

pytestmark = pytest.mark.browser


# It is the longest of all pages: axe takes as long for it as for eight boards.
@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("light", 1440),
        pytest.param("dark", 390, marks=pytest.mark.long),
        pytest.param("dark", 1440, marks=pytest.mark.long),
        pytest.param("light", 390, marks=pytest.mark.long),
    ],
)
def test_the_reference_reads_on_every_screen(
    chrome: Browser, boards: ReadyBoards, scheme: Literal["light", "dark"], width: int
) -> None:
    with watched(chrome, boards.base, color_scheme=scheme, viewport={"width": width, "height": 900}) as window:
        page = window.page("/docs")
        assert page.title().endswith("API")
        expect(page.get_by_role("banner")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        contents = page.get_by_role("navigation", name="The API")
        if width == 390:
            contents.get_by_text("Contents").click()
        contents.get_by_role("link", name="Read a board", exact=True).click()
        board = page.get_by_role("article", name="Read a board", exact=True)
        expect(board).to_be_in_viewport()
        board.get_by_text("Example of a response").click()
        expect(board.locator("details pre")).to_contain_text('"rankedCommits": 1')
        assert violations(page) == []
        board.get_by_role("link", name="Board", exact=True).first.click()
        expect(page.get_by_role("heading", name="Board", exact=True)).to_be_in_viewport()
